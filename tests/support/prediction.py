"""What `tlslint show` says of a configuration."""

from pathlib import Path

from support.apache import ApacheBinary
from support.compare import Predicted
from support.servers import NginxBinary
from tlslint.discover import discover
from tlslint.parse.tree import Tree
from tlslint.report.show import deployment_data
from tlslint.resolve import apache
from tlslint.resolve.model import Deployment
from tlslint.resolve.nginx import resolve
from tlslint.settings import Settings
from tlslint.target import Target, parse_target


def target_of(nginx: NginxBinary) -> str:
    """The system's nginx uses the system's OpenSSL with its configuration, which versions alone do not tell."""
    return "local" if nginx.name == "nginx-system" else nginx.target


def deployment_of(target: Target, entry: Path) -> Deployment:
    """What the configuration with this entry file is on a target."""
    (root,) = discover([str(entry)], Settings(root="/")).roots
    tree = root.files.tree(root.entry)
    assert isinstance(tree, Tree)
    return resolve(root, tree, target)


def endpoints_of(deployment: Deployment) -> list[Predicted]:
    """The endpoints as in the JSON of `show`."""
    endpoints: list[Predicted] = deployment_data(deployment)["endpoints"]
    return endpoints


def predict(nginx: NginxBinary, entry: Path) -> list[Predicted]:
    """The endpoints that `show` has for a configuration and a server."""
    return endpoints_of(deployment_of(parse_target(target_of(nginx), "nginx"), entry))


def apache_deployment(entry: Path, target: str = "local") -> Deployment:
    """What the Apache configuration with this entry file is on a target."""
    (root,) = discover([str(entry)], Settings(root="/", server="apache")).roots
    return apache.resolve(root, parse_target(target, "apache"))


def predict_apache(binary: ApacheBinary, entry: Path) -> list[Predicted]:
    """The endpoints that `show` has for an Apache configuration and this machine's Apache."""
    del binary  # there is one on a machine, which the target asks
    return endpoints_of(apache_deployment(entry))


REFUSALS = frozenset(
    ("server-will-not-start", "removed-directive", "directive-newer-than-target", "unknown-protocol", "no-protocol",
     "unusable-cipher-list", "unsupported-group")
)  # fmt: skip
"""Kinds of problems with which Apache does not start."""
