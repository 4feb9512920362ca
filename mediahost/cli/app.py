"""The application with all its commands."""

from mediahost.cli import (
    care,
    demo,
    docs,
    doctor,
    duplicates,
    export,
    hosts,
    job_log,
    job_steering,
    jobs,
    lineage,
    models,
    pauses,
    pipelines,
    plugin_install,
    plugins,
    results,
    run,
    search,
    stats,
    store,
    trust,
    tui,
    verify,
    watch,
)
from mediahost.cli.output import examples
from mediahost.cli.program import call, new_app

app = new_app()
app.command("results", epilog=examples("results talk.mp4", "results talk.mp4 --json"))(
    results.results
)
app.command(
    "explain",
    epilog=examples("explain talk.mp4", "explain talk.mp4 --action av.convert:format=mp3"),
)(results.explain)
jobs.app.command(epilog=examples("jobs cancel 12 13", "jobs cancel --status pending"))(
    job_steering.cancel
)
jobs.app.command(epilog=examples("jobs retry 12", "jobs retry --filter 'state:failed age<2d'"))(
    job_steering.retry
)
jobs.app.command(epilog=examples("jobs delete 12", "jobs delete --status completed"))(
    job_steering.delete
)
jobs.app.command(
    epilog=examples("jobs priority 12 13 --to 5", "jobs priority --filter 'action:av.*' --by -1")
)(job_steering.priority)
jobs.app.command(
    "log", epilog=examples("jobs log 12", "jobs log 12 --attempt 1", "jobs log 12 --follow")
)(job_log.log)
jobs.app.command("pause", epilog=examples("jobs pause", "jobs pause --action speech.transcribe"))(
    pauses.pause
)
jobs.app.command("resume", epilog=examples("jobs resume", "jobs resume --source watch:talks"))(
    pauses.resume
)
app.command(
    "search",
    epilog=examples(
        "search best of times",
        "search 'hello there' --label speech --min 2s",
        "search --label scene --min 10s",
    ),
)(search.search)
app.command(
    "export",
    epilog=examples(
        "export talk.mp4 --format srt --output talk.srt", "export film.mp4 -f otio -a scenes.detect"
    ),
)(export.export)
app.command("duplicates", epilog=examples("duplicates ~/Pictures", "duplicates --distance 4"))(
    duplicates.duplicates
)
app.command("lineage", epilog=examples("lineage talk.mp3"))(lineage.lineage)
app.command("stats", epilog=examples("stats", "stats --hours 1 --json"))(stats.stats)
app.add_typer(jobs.app, name="jobs")
app.add_typer(hosts.app, name="hosts")
app.command("work", epilog=examples("work --drain", "work --jobs 2"))(run.work)
app.command("tui", epilog=examples("tui", "tui --theme light"))(tui.tui)
app.add_typer(watch.app, name="watch")
app.add_typer(plugins.app, name="plugins")
plugins.app.command(
    "install",
    epilog=examples(
        "plugins install mediahost-av", "plugins install mediahost-speech --isolated --python 3.12"
    ),
)(plugin_install.install)
plugins.app.command("uninstall", epilog=examples("plugins uninstall mediahost-speech"))(
    plugin_install.uninstall
)
app.add_typer(models.app, name="models")
app.command("pipelines", epilog=examples("pipelines"))(pipelines.pipelines)
store.app.command(epilog=examples("store backup /media/stick/store.db"))(care.backup)
store.app.command(epilog=examples("store copy store.db copy.db"))(care.copy)
store.app.command(epilog=examples("store check", "store check --json"))(care.check)
store.app.command(
    epilog=examples("store gc", "store gc --apply", "store gc --results-days 0 --max-gb 50")
)(care.gc)
app.add_typer(store.app, name="store")
app.command("verify", epilog=examples("verify", "verify ~/Films --json"))(verify.verify)
app.command("trust", epilog=examples("trust", "trust ~/talks", "trust --list"))(trust.trust)
app.command("doctor", epilog=examples("doctor"))(doctor.doctor)
app.command("docs", epilog=examples("docs", "docs settings"))(docs.docs)
app.command("demo", epilog=examples("demo"))(demo.demo)


def run_app() -> int:
    """Run the command of `sys.argv`, whichever it is; returns the exit code."""
    return call(app)
