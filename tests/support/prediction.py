"""What `tlslint show` says of a configuration."""

from pathlib import Path

from support.compare import Predicted
from support.servers import NginxBinary
from tlslint.discover import discover
from tlslint.report.show import deployment_data
from tlslint.resolve.nginx import resolve
from tlslint.settings import Settings
from tlslint.target import parse_target


def target_of(nginx: NginxBinary) -> str:
    """The system's nginx uses the system's OpenSSL with its configuration, which versions alone do not tell."""
    return "local" if nginx.name == "nginx-system" else nginx.target


def predict(nginx: NginxBinary | str, entry: Path) -> list[Predicted]:
    """The endpoints that `show` has for a configuration and a server (or a `--target`), as in its JSON."""
    target = nginx if isinstance(nginx, str) else target_of(nginx)
    settings = Settings(root="/", target=target)
    (root,) = discover([str(entry)], settings).roots
    tree = root.files.tree(root.entry)
    deployment = resolve(root, tree, parse_target(settings.target, "nginx"))
    endpoints: list[Predicted] = deployment_data(deployment)["endpoints"]
    return endpoints
