"""`scenes.detect` on films whose cuts are known, and on what is no cut."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from mediahost import InvalidMedia, MediaFile
from mediahost.testing import check_action, run_action
from mediahost_scenes import Detect

Make = Callable[..., Path]

CUTS = [1.2, 3.04, 5.48, 7.48, 9.68]  # of the bikes


def test_every_known_cut_is_found_to_the_frame_and_no_other(bikes: Path) -> None:
    run = run_action(Detect(), bikes)

    assert run.metadata["cuts"] == pytest.approx(CUTS, abs=0.001)
    edges = [0, *CUTS, 10]
    run.assert_ranges(*((a, b, "scene") for a, b in pairwise(edges)))
    run.assert_metadata(
        scenes=6, duration=10, frames=250, mean_scene_s=pytest.approx(10 / 6, abs=0.01)
    )
    how = [scene.payload["begins_with"] for scene in run.ranges]
    assert how == ["start", "cut", "cut", "cut", "cut", "cut"]


def test_the_fast_mode_finds_them_within_a_tenth_of_a_second(bikes: Path) -> None:
    run = run_action(Detect(mode="fast"), bikes)

    assert run.metadata["cuts"] == pytest.approx(CUTS, abs=0.1)
    assert run.metadata["frames"] < 200


@pytest.mark.parametrize("name", ["bunny", "carphone"])
def test_a_shot_is_one_scene_however_things_move(name: str, request: pytest.FixtureRequest) -> None:
    run = run_action(Detect(), request.getfixturevalue(name))

    run.assert_ranges((0, run.metadata["duration"], "scene"), tolerance=0.001)


def test_a_quick_pan_is_no_cut(photo: Path, filtered: Make) -> None:
    film = filtered(photo, "crop=480:270:x='400*t':y=100+50*t", "-loop", "1", "-t", "2")

    run_action(Detect(), film).assert_metadata(scenes=1, duration=pytest.approx(2, abs=0.1))


def test_a_flash_is_no_cut(bikes: Path, filtered: Make) -> None:
    film = filtered(bikes, "scale=240:-2,eq=brightness='if(between(n,50,51),0.8,0)':eval=frame")

    assert run_action(Detect(), film).metadata["cuts"] == pytest.approx(CUTS, abs=0.001)


def test_noise_hides_no_cut(bikes: Path, filtered: Make) -> None:
    film = filtered(bikes, "scale=240:-2,noise=alls=30:allf=t:all_seed=1", "-t", "4")

    assert run_action(Detect(), film).metadata["cuts"] == pytest.approx(CUTS[:2], abs=0.001)


@pytest.mark.parametrize("every", [2, 3])
def test_drawings_that_stay_for_some_frames_are_no_cuts(
    every: int, bikes: Path, filtered: Make
) -> None:
    film = filtered(bikes, f"trim=start=3.2:end=5.2,setpts=PTS-STARTPTS,fps={25 / every},fps=25")

    run_action(Detect(), film).assert_metadata(scenes=1)


def test_a_hard_cut_between_two_films_is_found(joined: Make) -> None:
    run = run_action(Detect(), joined("[a][b]concat=n=2[v]"))

    run.assert_ranges((0, 3, "scene"), (3, 4, "scene"), tolerance=0.001)


def test_a_fade_through_black_begins_a_scene(joined: Make) -> None:
    film = joined(
        "[a]fade=t=out:st=2:d=0.9[a1];[b]fade=t=in:st=0.1:d=0.6[b1];[a1][b1]concat=n=2[v]"
    )

    run = run_action(Detect(), film)

    assert [scene.payload["begins_with"] for scene in run.ranges] == ["start", "fade"]
    assert run.metadata["cuts"] == pytest.approx([3], abs=0.15)
    run_action(Detect(fades=False), film).assert_metadata(scenes=1)


def test_black_at_either_end_is_no_fade_between_scenes(bunny: Path, filtered: Make) -> None:
    film = filtered(bunny, "scale=320:180,fade=t=in:st=1.5:d=0.6,fade=t=out:st=3.5:d=1")

    run_action(Detect(), film).assert_metadata(scenes=1)


def test_scenes_that_are_too_short_belong_to_the_one_before(bikes: Path) -> None:
    run = run_action(Detect(min_scene_s=2), bikes)

    assert run.metadata["cuts"] == pytest.approx([3.04, 5.48, 7.48, 9.68], abs=0.001)


def test_a_higher_threshold_finds_fewer(bikes: Path) -> None:
    counts = [run_action(Detect(threshold=at), bikes).metadata["scenes"] for at in (12, 25, 100)]

    assert counts == [6, 5, 1]


def test_times_count_from_the_beginning_whatever_the_container_says(
    bikes: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    # In a transport stream, timestamps begin after 1 s.
    path = tmp_path / "race.ts"
    ffmpeg("-i", bikes, "-an", "-c", "copy", path)

    assert run_action(Detect(), path).metadata["cuts"] == pytest.approx(CUTS, abs=0.05)


def test_a_film_of_two_pictures_is_one_scene(bikes: Path, filtered: Make) -> None:
    film = filtered(bikes, "select='lt(n,2)'")

    run_action(Detect(), film).assert_metadata(scenes=1, frames=2)


def test_a_recording_with_a_cover_is_no_film(
    photo: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    path = tmp_path / "song.mp4"
    ffmpeg(
        *("-f", "lavfi", "-t", "1", "-i", "sine", "-i", photo, "-map", "0", "-map", "1"),
        *("-c:v", "mjpeg", "-disposition:v", "attached_pic", path),
    )

    with pytest.raises(InvalidMedia, match=r"song\.mp4 has no picture"):
        run_action(Detect(), path)


def test_a_film_that_is_cut_off_is_looked_at_as_far_as_it_goes(
    bikes: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    path = tmp_path / "half.mp4"
    ffmpeg("-i", bikes, "-an", "-c", "copy", "-movflags", "+faststart", path)
    path.write_bytes(path.read_bytes()[:250_000])

    run = run_action(Detect(), path)

    assert run.metadata["cuts"] == pytest.approx(CUTS[: len(run.metadata["cuts"])], abs=0.001)
    assert 2 < run.metadata["duration"] < 9
    assert "not at 10.0 s" in run.result.completeness.describe()


def test_a_header_without_pictures_says_what_was_promised(
    bikes: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    path = tmp_path / "header.mp4"
    ffmpeg("-i", bikes, "-an", "-c", "copy", "-movflags", "+faststart", path)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 4])

    with pytest.raises(InvalidMedia, match=r"promises 10\.0 s of pictures, but none"):
        run_action(Detect(), path)


def test_it_keeps_to_what_the_host_counts_on(joined: Make) -> None:
    run = check_action(Detect(), MediaFile.at(joined("[a][b]concat=n=2[v]")))

    fractions = [fraction for fraction, _ in run.progress]
    assert fractions == sorted(fractions)
    assert len(fractions) == 100
    assert fractions[-1] == pytest.approx(1, abs=0.01)
