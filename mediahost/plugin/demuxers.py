"""Demuxers: which of FFmpeg's formats a plugin may read a stranger's media file as.

A file may claim to be of any format, whatever it is called. Some formats are no media of their own:
they name other files, such as the next picture or the subtitles beside it, other machines or
devices, or are programs. Nothing of that is what a person asked for who gave one file.
"""

from collections.abc import Collection

NOT_MEDIA = frozenset(
    {
        # These open other files: those beside them or those that are named in them.
        *("concat", "concatf", "dash", "dvdvideo", "hls", "image2", "imf", "vobsub"),
        *("webm_dash_manifest", "smil"),
        # These open other machines.
        *("msnwctcp", "rtp", "rtsp", "sap", "sdp", "whip"),
        # These are programs, or text that is drawn.
        *("avisynth", "ffmetadata", "lavfi", "tty", "vapoursynth"),
        # These are devices.
        *("alsa", "android_camera", "avfoundation", "bktr", "caca", "decklink", "dshow", "fbdev"),
        *("gdigrab", "iec61883", "jack", "kmsgrab", "libcdio", "libdc1394", "ndi_newtek"),
        *("openal", "oss", "pulse", "sndio", "v4l2", "vfwcap", "video4linux2"),
        *("x11grab", "xcbgrab"),
    }
)


def trusted_formats(available: Collection[str]) -> str:
    """FFmpeg's option `format_whitelist` for files that nobody vouches for.

    Args:
        available: All formats that FFmpeg knows; one may have several names, with commas.
    """
    trusted = (one for one in available if NOT_MEDIA.isdisjoint(one.split(",")))
    return ",".join(sorted(trusted))
