"""A language model that runs in the worker, by llama.cpp."""

from typing import Any

from mediahost_llm.endpoint import NoModel, local_file


class LocalModel:
    """A model behind an OpenAI-compatible API on loopback; a resource of the worker.

    Args:
        model: Its name, or the path of its file.
        threads: How many it may compute with.

    Raises:
        NoModel: It is not on this machine, or can't be loaded.
    """

    def __init__(self, model: str, threads: int) -> None:
        path, context = local_file(model)
        import xllamacpp  # noqa: PLC0415 - loads 34 MB; only a worker needs it

        asked: Any = xllamacpp.CommonParams()
        asked.model.path = str(path)
        asked.n_ctx = context
        asked.n_parallel = 1
        asked.cpuparams.n_threads = threads
        asked.cpuparams_batch.n_threads = threads
        asked.hostnames = ["127.0.0.1"]
        asked.port = 0
        asked.verbosity = -1
        try:
            self._server: Any = xllamacpp.Server(asked)
        except (RuntimeError, ValueError, OSError) as error:
            raise NoModel(f"The language model {path} can't be loaded: {error}") from error
        self.base_url = f"{self._server.listening_address}/v1"
        self.context = context

    def close(self) -> None:
        """Let go of the model's memory."""
        self._server = None


def load_local(model: str, threads: int) -> LocalModel:
    """The model, ready to answer; loaded once per worker."""
    return LocalModel(model, threads)
