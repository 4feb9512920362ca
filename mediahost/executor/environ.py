"""The environment of workers: what of the host's variables a stranger's code gets to see.

A host's environment holds what nobody wrote for its plugins: a database's password, keys of other
services. A worker has what programs and libraries need to run, and what the settings pass on; an
attempt has besides what its action declares.
"""

import os
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

# What a program needs to run in the place and language of its person, with the libraries and
# devices of the machine. A star stands for any characters; none of these is named for a secret.
ALLOWED = (
    *("HOME", "LOGNAME", "PATH", "PWD", "SHELL", "TERM", "TZ", "TZDIR", "USER"),
    *("LANG", "LANGUAGE", "LC_*", "NO_COLOR"),
    *("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_*"),
    *("PYTHON*", "VIRTUAL_ENV"),
    *("DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH", "NIX_LD*"),
    *("CUDA_*", "GPU_*", "HIP_*", "HSA_*", "NVIDIA_*", "ROCR_*", "LIBVA_*", "VDPAU_*"),
    *("KMP_*", "MKL_*", "NUMBA_*", "NUMEXPR_*", "OMP_*", "OPENBLAS_*"),
    *("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TORCH_HOME", "TRANSFORMERS_OFFLINE"),
    *("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"),
    *("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"),
    *("all_proxy", "https_proxy", "http_proxy", "no_proxy"),
    *("FONTCONFIG_*", "MAGIC", "MALLOC_*", "SYSTEMROOT", "TESSDATA_PREFIX"),
    *("MEDIAHOST_DEBUG", "MEDIAHOST_MODELS", "MEDIAHOST_PLUGINS", "MEDIAHOST_WITHOUT"),
)
# Python reads code to run from it, for a person at a terminal.
_REFUSED = frozenset({"PYTHONSTARTUP", "PYTHONINSPECT"})


def variables_like(
    patterns: Collection[str], environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The variables that are set and go by one of these names or patterns."""
    names = {name for name in patterns if "*" not in name}
    stars = [name for name in patterns if "*" in name]
    return {
        name: value
        for name, value in environ.items()
        if name in names or any(fnmatchcase(name, pattern) for pattern in stars)
    }


def worker_environment(
    passed: Collection[str], environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The environment that a worker starts with.

    Args:
        passed: Names or patterns of variables that are passed on besides those that all have.
        environ: The host's environment.
    """
    given = variables_like(ALLOWED, environ)
    return {
        **{name: value for name, value in given.items() if name not in _REFUSED},
        **variables_like(passed, environ),
    }
