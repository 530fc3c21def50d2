"""Diffie-Hellman parameters and DHE suites do not meet.

## What it finds
A file of DH parameters although no DHE suite can be negotiated, and lists that name DHE suites although there are no
parameters: nginx (since 1.11.0) never negotiates them then. Apache since 2.4.52 makes parameters of its own up, and
never uses those of `SSLOpenSSLConfCmd DHParameters`.

## Why it matters
Nothing is weak, but the lines do not do what they say, and the file is one more to keep.

## What clients see
Nothing.

## How to fix it
Remove the parameters, or take the DHE suites out of the list. ECDHE is faster and needs no file.

## False alarms that it avoids
Words for many suites, such as `HIGH`, do not name DHE. Parameters that any endpoint uses are not dead. Apache has
parameters without any line, so that its DHE suites are never named in vain; those in a certificate's file do count.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, RemoveDirective, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint, Handshake, Place
from tlslint.rules.suites import CipherUse, cipher_uses, offered_below_tls13, some
from tlslint.rules.words import directive_of, labels, negotiating, part_of, value_argument
from tlslint.target import Version
from tlslint.tls.ciphers import KNOWN, Token, tokens

rule = Rule(
    code="TLS226",
    name="dead-dh-params",
    severity=Severity.INFO,
    summary="Diffie-Hellman parameters and DHE suites do not meet",
    why="the lines do not do what they say: without parameters DHE is never negotiated, without DHE they are not used",
    seen="nothing; the DHE suites of the list are missing in a scan",
    sources=("nginx, ssl_dhparam", "nginx change log, 1.11.0", "Apache HTTP Server, CHANGES, 2.4.52"),
    fix=Safety.SAFE,
)
OWN_PARAMETERS_SINCE = Version("2.4.52")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each unused file of parameters, and one for each list that names DHE in vain."""
    if deployment.server == "apache":
        yield from _without_effect(deployment)
        return
    yield from _unused(deployment)
    for use in cipher_uses(deployment):
        if use.setting.explicit and not any(
            handshake.tls.dh_params.is_unknown or handshake.tls.dh_params.known for handshake in use.handshakes
        ):
            yield from _vain(use)


def _without_effect(deployment: Deployment) -> Iterator[Finding]:
    """Yield Apache's commands that name a file of parameters."""
    version = deployment.target.server
    if version is None or version < OWN_PARAMETERS_SINCE:
        return
    told: dict[int, list[str]] = {}
    places: dict[int, Place] = {}
    for endpoint in negotiating(deployment):
        for command in endpoint.answering.tls.conf_commands.known or ():
            if command.name.lower() == "dhparameters":
                places[id(command.place.directive)] = command.place
                told.setdefault(id(command.place.directive), []).append(endpoint.label)
    for key, place in places.items():
        yield rule.finding(
            "the Diffie-Hellman parameters of {endpoint} are never used",
            place.span,
            label=f"Apache makes its own up since {OWN_PARAMETERS_SINCE}",
            help="remove the command; parameters in the file of the certificate do count",
            endpoints=told[key],
            fix=Fix("remove the command", Safety.SAFE, (RemoveDirective(place),)),
        )


def _unused(deployment: Deployment) -> Iterator[Finding]:
    groups: dict[int, list[Endpoint]] = {}
    for endpoint in negotiating(deployment):
        if endpoint.tls.dh_params.known:
            groups.setdefault(id(endpoint.tls.dh_params), []).append(endpoint)
    for endpoints in groups.values():
        handshakes = {id(endpoint.handshake): endpoint.handshake for endpoint in endpoints}.values()
        if any(_uses_dhe(deployment, handshake) for handshake in handshakes):
            continue
        setting = endpoints[0].tls.dh_params
        assert setting.span is not None
        yield rule.finding(
            "the Diffie-Hellman parameters of {endpoint} are never used",
            setting.span,
            label="no DHE suite is negotiable",
            help=f"remove {directive_of(setting)}",
            endpoints=labels(endpoints),
            fix=Fix(f"remove {directive_of(setting)}", Safety.SAFE, (RemoveDirective(setting.places[-1]),)),
        )


def _uses_dhe(deployment: Deployment, handshake: Handshake) -> bool:
    if handshake.outcome != "completes":
        return True  # too little is known, or something else is wrong
    return any(
        name.startswith("DHE-")
        for target in deployment.targets()
        for name in offered_below_tls13(deployment, handshake, target)
    )


def _vain(use: CipherUse) -> Iterator[Finding]:
    argument = value_argument(use.setting)
    if argument is None:
        return
    named = [token for token in tokens(str(argument)) if not token.operator and _names_dhe(token)]
    if named:
        yield rule.finding(
            f"DHE suites are on the list of {{endpoint}} and never negotiated: {some(token.text for token in named)}",
            part_of(argument, named[0].start, named[0].end),
            label="there are no Diffie-Hellman parameters",
            help="take them out of the list",
            endpoints=use.labels,
        )


def _names_dhe(token: Token) -> bool:
    suite = KNOWN.get(token.text)
    if suite is not None:
        return suite.kx == "DHE" and not suite.tls13
    return bool({"DHE", "EDH", "kDHE", "kEDH"} & set(token.text.split("+")))
