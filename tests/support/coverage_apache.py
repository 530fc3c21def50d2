"""What `apache2 -t` calls fine and what then misbehaves on the wire, row by row, and how tlslint shows it.

The rows are numbered as in the reference that the project was built from (Apache, section H): versions (P), suites,
groups and tickets (C), certificates (K), virtual hosts (V), structure (S), clients (M), stapling (O), headers and
redirects (F), proxies (R), HTTP/2 (H) and mod_md (D). `tests/wire/test_apache_coverage.py` holds every claim against
the real server.
"""

import ssl

import pytest

from support.coverage import At, Finds, LiveApache, Row, fails, headers, status
from support.scanner import scan

TLS, OTHER, PLAIN, SECOND = "127.0.0.1:8443", "127.0.0.1:8444", "127.0.0.1:8080", "127.0.0.2:8443"
A, B, C = "a.example.test", "b.example.test", "c.example.test"
ANY = "*"
HSTS = "Strict-Transport-Security"
OLD_AND_NEW = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
NEW = ["TLSv1.2", "TLSv1.3"]
NEW_SUITES = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


# -- what clients see ----------------------------------------------------------------------------------------------


def internal_error(live: LiveApache) -> None:
    assert status(live.ask(TLS, A)) == 200
    assert "internal error" in fails(live, TLS, B, version=V12)


def old_parameters(live: LiveApache) -> None:
    address, port = live.place(TLS)
    assert scan(address, port, A).dh_bits == 2048


def served_without_a_word(live: LiveApache) -> None:
    assert live.served(TLS, A)
    assert "expired" not in live.server.error_log


def plain_http(live: LiveApache) -> None:
    assert fails(live, TLS, A).count("wrong version number")
    assert status(live.ask_plainly(TLS, A)) == 200


def plain_requests_are_refused(live: LiveApache) -> None:
    assert status(live.ask_plainly(PLAIN, A)) == 400
    assert status(live.ask(PLAIN, A)) == 200


def neighbours_certificate(live: LiveApache) -> None:
    assert live.served(TLS, A) == live.served(TLS, B)
    assert status(live.ask(TLS, B)) == 200


def misdirected(live: LiveApache) -> None:
    for sni in (A, None):
        assert status(live.ask(TLS, sni, f"www.{A}")) == 421
    assert status(live.ask(TLS, f"www.{A}")) == 200


def without_a_name_refused(live: LiveApache) -> None:
    assert status(live.ask(TLS, None, A)) == 403
    assert status(live.ask(TLS, "nobody.invalid", A)) == 200


def nothing_is_told(live: LiveApache) -> None:
    assert headers(live.ask(TLS, A), HSTS) == []


def location_of_clients(live: LiveApache) -> None:
    assert status(live.ask(TLS, A)) == 200
    assert status(live.ask(TLS, A, path="/in/", certificate="client-1", version=V12)) == 200
    assert status(live.ask(TLS, A, path="/in/", certificate="client-1", version=V13)) == 403


def still_required(live: LiveApache) -> None:
    assert live.ask(TLS, A, version=V13) == ""
    assert status(live.ask(TLS, A, certificate="client-1")) == 200


def nobody_is_let_in(live: LiveApache) -> None:
    assert "unknown ca" in fails(live, TLS, A, certificate="client-1", version=V12)


def too_deep(live: LiveApache) -> None:
    with pytest.raises(ssl.SSLError):
        live.ask(TLS, A, certificate="client-1", version=V12)


def revoked_is_let_in(live: LiveApache) -> None:
    assert status(live.ask(TLS, A, certificate="client-1")) == 200
    assert "AH01902" in live.server.error_log


def clients_without_a_name_are_refused(live: LiveApache) -> None:
    with pytest.raises(ssl.SSLError):
        live.ask(TLS, None, B, version=V12)
    assert status(live.ask(TLS, B)) == 200


def strangers_are_let_in(live: LiveApache) -> None:
    assert status(live.ask(TLS, A, certificate="client-2")) == 200


def plain_is_forbidden(live: LiveApache) -> None:
    assert status(live.ask_plainly(PLAIN, A)) == 403


def any_suite_in_tls13(live: LiveApache) -> None:
    assert status(live.ask(TLS, A, path="/in/", version=V13)) == 200


def by_result(live: LiveApache) -> None:
    for version in (V12, V13):
        assert status(live.ask(TLS, A, path="/in/", certificate="client-1", version=version)) == 200
        assert status(live.ask(TLS, A, path="/in/", version=version)) == 403


def nothing_is_stapled(live: LiveApache) -> None:
    assert "OCSP response: no response sent" in live.s_client(TLS, A, "-status")
    assert "AH02218" in live.server.error_log


def try_later(live: LiveApache) -> None:
    assert "trylater" in live.s_client(TLS, A, "-status")


def not_with_errors(live: LiveApache) -> None:
    assert headers(live.ask(TLS, A), HSTS) == ["max-age=63072000"]
    missing = live.ask(TLS, A, path="/missing")
    assert status(missing) == 404
    assert headers(missing, HSTS) == []


def sent_twice(live: LiveApache) -> None:
    assert len(headers(live.ask(TLS, A), HSTS)) == 2


def still_sent(live: LiveApache) -> None:
    assert headers(live.ask(TLS, A), HSTS) == ["max-age=63072000"]


def stays_plain(live: LiveApache) -> None:
    assert status(live.ask_plainly(PLAIN, A)) == 200


def names_run_together(live: LiveApache) -> None:
    with live.connect(PLAIN) as connection:
        connection.sendall(f"GET /index.html HTTP/1.1\r\nHost: {A}\r\nConnection: close\r\n\r\n".encode())
        answer = connection.recv(65536).decode("latin-1")
    assert headers(answer, "Location") == ["https://a.example.testindex.html"]


def in_a_circle(live: LiveApache) -> None:
    answer = live.ask(TLS, A)
    assert status(answer) == 301
    assert headers(answer, "Location") == [f"https://{A}:{live.place(TLS)[1]}/"]


def backend_is_believed(live: LiveApache) -> None:
    assert status(live.ask(TLS, A)) == 204


def no_connection_to_the_backend(live: LiveApache) -> None:
    assert status(live.ask(TLS, A)) == 500


def agreed(live: LiveApache) -> str | None:
    with live.tls(TLS, A, alpn=["h2", "http/1.1"]) as connection:
        return connection.selected_alpn_protocol()


def no_http2(live: LiveApache) -> None:
    assert agreed(live) == "http/1.1"


def no_http2_with_prefork(live: LiveApache) -> None:
    no_http2(live)
    assert "AH10034" in live.server.error_log


def http2_then_nothing(live: LiveApache) -> None:
    assert agreed(live) == "h2"


def not_yet_there(live: LiveApache) -> None:
    assert status(live.ask(TLS, A)) == 503


# -- the rows ------------------------------------------------------------------------------------------------------


def down(number: str, what: str, fixture: str, code: str, rule: str, line: str) -> Row:
    """A configuration that passes `apache2 -t` and does not start."""
    return Row(number, what, fixture, finds=(Finds(rule, line, message=code),), refuses_to_start=code)


ROWS = (
    Row(
        "P1", "A list of versions leaves the last one.", "P1-last-version-of-a-list",
        (At(TLS, A, protocols=["TLSv1.3"]),), finds=(Finds("protocol-list-reset", "SSLProtocol"),),
    ),
    Row(
        "P2", "The same with an older version last.", "P2-older-version-last", (At(TLS, A, protocols=["TLSv1.2"]),),
        finds=(Finds("protocol-list-reset", "SSLProtocol"),),
    ),
    Row(
        "P3", "A bare version after others replaces them.", "P3-bare-version-after-all",
        (At(TLS, A, protocols=["TLSv1.2"]),), finds=(Finds("protocol-list-reset", "SSLProtocol"),),
    ),
    Row(
        "P4", "A gap takes the versions below it along.", "P4-gap-in-versions", (At(TLS, A, protocols=["TLSv1.3"]),),
    ),
    Row(
        "P5", "The same where versions are added.", "P5-gap-by-addition", (At(TLS, A, protocols=["TLSv1.2"]),),
        finds=(Finds("missing-protocol", "SSLProtocol"),),
    ),
    down(
        "P6", "Removals alone leave nothing.", "P6-nothing-left", "AH02231", "no-protocol", "SSLProtocol",
    ),
    Row(
        "P7", "The library's security level hides old versions.", "P7-old-versions-hidden-by-the-library",
        (At(TLS, A, protocols=NEW),), finds=(Finds("weak-protocol", "SSLProtocol"),),
    ),
    Row(
        "P8", "A lower level brings them back.", "P8-old-versions-uncovered", (At(TLS, A, protocols=OLD_AND_NEW),),
        finds=(Finds("weak-protocol", "SSLProtocol"), Finds("lowered-security-level", "SSLCipherSuite")),
    ),
    Row(
        "P9", "A host without versions takes the first one's.", "P9-versions-of-the-first-host",
        (At(TLS, B, protocols=OLD_AND_NEW),), finds=(Finds("weak-protocol", "SSLProtocol all"),),
    ),
    Row(
        "P10", "Clients without a name, or with an unknown one, get the first host's versions.",
        "P10-no-name-gets-the-first-host",
        (
            At(TLS, None, protocols=OLD_AND_NEW, host=A), At(TLS, ANY, protocols=OLD_AND_NEW, host=A),
            At(TLS, B, protocols=["TLSv1.3"]),
        ),
        finds=(Finds("weak-protocol", "SSLProtocol all"),),
    ),
    Row(
        "P11", "A command about versions has no effect in a later host.", "P11-command-in-a-later-host",
        (At(TLS, B, protocols=OLD_AND_NEW),),
        finds=(Finds("shadowed-protocols", "MinProtocol TLSv1.3"),),
    ),
    Row(
        "P12", "A command widens the versions.", "P12-command-widens-versions", (At(TLS, A, protocols=OLD_AND_NEW),),
        finds=(Finds("overridden-protocols", "MinProtocol TLSv1"),),
    ),
    Row(
        "P13", "The command Protocol adds to the versions and limits nothing.", "P13-protocol-command-adds",
        (At(TLS, A, protocols=OLD_AND_NEW),),
    ),
    Row(
        "P14", "Signatures for RSA without PSS end TLS 1.3.", "P14-signatures-without-pss",
        (At(TLS, A, protocols=["TLSv1.2"]),),
    ),
    Row(
        "P15", "A comment that goes on swallows the line below.", "P15-comment-goes-on",
        (At(TLS, A, protocols=OLD_AND_NEW),), finds=(Finds("swallowed-directive", "SSLProtocol TLSv1.3"),),
    ),
    Row(
        "C1", "Names of TLS 1.3 in the list limit nothing.", "C1-tls13-names-in-the-list",
        (At(TLS, A, **{"ciphers.TLSv1.3": NEW_SUITES, "ciphers.TLSv1.2": ["ECDHE-RSA-AES128-GCM-SHA256"]}),),
        finds=(Finds("tls13-suite-in-cipher-list", "SSLCipherSuite"),),
    ),
    Row(
        "C2", "Misspelt suites are dropped.", "C2-misspelt-suites",
        (At(TLS, A, **{"ciphers.TLSv1.2": ["AES128-SHA"]}),),
        finds=(Finds("unknown-cipher", "SSLCipherSuite"),),
    ),
    down(
        "C3", "Nothing but misspelt suites.", "C3-misspelt-suites-only", "AH01898", "unusable-cipher-list",
        "SSLCipherSuite",
    ),
    down(
        "C4", "A list for TLS 1.3 without the list.", "C4-forgotten-suites", "AH01898", "unusable-cipher-list",
        "SSLCipherSuite",
    ),
    Row(
        "C5", "Suites for another type of key fail every handshake.", "C5-suites-for-another-key",
        (At(TLS, ANY, handshake="rejected"),), finds=(Finds("unusable-cipher-list", ""),),
    ),
    Row(
        "C6", "Suites that the versions do not have fail every handshake.", "C6-suites-for-newer-versions",
        (At(TLS, ANY, handshake="rejected"),),
    ),
    Row(
        "C7", "The order is the first host's.", "C7-order-of-the-first-host", (At(TLS, B, server_order=True),),
        finds=(Finds("settings-shadowed-by-default-server", "SSLHonorCipherOrder off"),),
    ),
    Row(
        "C8", "Groups of a later host are not used.", "C8-groups-of-the-first-host",
        (At(TLS, B, **{"settings.groups.value": "auto"}),),
        finds=(Finds("settings-shadowed-by-default-server", "Curves P-384"),),
    ),
    Row(
        "C9", "Without tickets in the first host a later one has none.", "C9-tickets-of-the-first-host",
        (At(TLS, B, **{"sessions.tickets": {"TLSv1.2": False, "TLSv1.3": True}}),),
        finds=(Finds("settings-shadowed-by-default-server", "SSLSessionTickets on"),),
    ),
    Row(
        "C10", "Without tickets TLS 1.3 still sends some.", "C10-tickets-in-tls13",
        (At(TLS, A, **{"sessions.tickets": {"TLSv1.2": False, "TLSv1.3": True}}),),
    ),
    Row(
        "C11", "A curve in the certificate's file is the only group.", "C11-curve-in-the-certificate-file",
        (At(TLS, A, groups=["secp384r1"]),),
    ),
    Row(
        "C12", "Words behind a switch are ignored.", "C12-words-behind-a-flag",
        (At(TLS, A, **{"sessions.tickets": {"TLSv1.2": False, "TLSv1.3": True}}),),
    ),
    Row(
        "C13", "Parameters that a command names are not used.", "C13-parameters-by-command",
        (At(TLS, A, **{"settings.dh_params": None}),), claim=old_parameters,
        finds=(Finds("dead-dh-params", "DHParameters"),),
    ),
    Row(
        "C14", "The last of two lists wins.", "C14-last-list-wins",
        (At(TLS, A, **{"ciphers.TLSv1.2": ["AES128-SHA"]}),),
    ),
    Row(
        "C15", "A command replaces the list.", "C15-command-replaces-the-list",
        (At(TLS, A, **{"ciphers.TLSv1.2": ["AES128-SHA"]}),),
        finds=(Finds("overridden-ciphers", "CipherString"),),
    ),
    Row(
        "C16", "A group that few clients offer.", "C16-rare-group", (At(TLS, A, groups=["secp521r1"]),),
        finds=(Finds("weak-group", "Curves secp521r1"),),
    ),
    Row(
        "C17", "Ticket keys of the first host end the others' handshakes.", "C17-ticket-keys-of-the-first-host",
        (At(TLS, B, handshake="rejected"), At(TLS, A, handshake="completes")), claim=internal_error,
        finds=(Finds("settings-shadowed-by-default-server", "SSLSessionTicketKeyFile"),),
    ),
    Row(
        "C18", "Ticket keys of a later host are ignored.", "C18-ticket-keys-of-a-later-host",
        (At(TLS, B, handshake="completes", **{"settings.ticket_keys": None}),),
        finds=(Finds("settings-shadowed-by-default-server", "SSLSessionTicketKeyFile"),),
    ),
    Row(
        "K1", "A leaf alone.", "K1-leaf-alone", (At(TLS, A, chain_lengths=[1]),),
        finds=(Finds("missing-intermediate", "a-rsa-leaf.pem"),),
    ),
    Row(
        "K2", "The main server's chain file displaces the host's own chain.", "K2-chain-file-of-the-main-server",
        (At(TLS, A, chain_lengths=[2]),), finds=(Finds("unrelated-certificate", "SSLCertificateChainFile"),),
    ),
    Row(
        "K3", "A host that replaces one of two certificates keeps the other site's.",
        "K3-second-certificate-from-outside", (At(TLS, B, files=["b-rsa.pem", "a-ec256.pem"]),),
        finds=(Finds("name-not-in-certificate", "ServerName b"),),
    ),
    down(
        "K4", "A key of another certificate.", "K4-foreign-key", "AH02565", "key-mismatch", "b-rsa.key",
    ),
    down(
        "K5", "The intermediate stands first.", "K5-intermediate-first", "AH02565", "chain-order",
        "a-rsa-intermediate-first.pem",
    ),
    down(
        "K6", "A binary file.", "K6-binary-certificate", "AH02562", "malformed-certificate", "leaf.der",
    ),
    Row(
        "K7", "An expired certificate is served without a word.", "K7-expired",
        (At(TLS, A, files=["a-rsa-expired.pem"]),), finds=(Finds("expired-certificate", "a-rsa-expired.pem"),),
        claim=served_without_a_word,
    ),
    Row(
        "K8", "A certificate of another name is served.", "K8-certificate-of-another-name",
        (At(TLS, A, files=["c-rsa.pem"]),), finds=(Finds("name-not-in-certificate", "ServerName a"),),
    ),
    down(
        "K9", "A key that is too short.", "K9-short-key", "AH02562", "weak-key", "weak-rsa1024.pem",
    ),
    down("K10", "No certificate at all.", "K10-no-certificate", "AH02572", "server-will-not-start", "<VirtualHost"),
    Row(
        "K11", "Of two certificates of a type the last is served.", "K11-two-certificates-of-a-type",
        (At(TLS, A, files=["a-rsa.pem"]),), finds=(Finds("replaced-certificate", "c-rsa.pem"),),
    ),
    Row(
        "V1", "The second host of a name is dead.", "V1-same-name-twice", (At(TLS, A, protocols=["TLSv1.3"]),),
        finds=(Finds("conflicting-server-name", "ServerName a"),),
    ),
    Row(
        "V2", "A pattern of an earlier host takes a later one's name.", "V2-pattern-of-an-earlier-host",
        (At(TLS, "*.example.test", host="w.example.test"),), absent=((TLS, B),),
        finds=(Finds("conflicting-server-name", "ServerName b"),), samples=(("*.example.test", B),),
    ),
    Row(
        "V3", "A comma between addresses leaves a host without any.", "V3-comma-between-addresses",
        (At(TLS, None, handshake="plaintext"),), finds=(Finds("unreachable-host", "<VirtualHost"),), claim=plain_http,
        warns=("AH00547",),
    ),
    Row(
        "V4", "A host with the address for itself takes all names there.", "V4-address-of-its-own",
        (At(SECOND, ANY, host=B), At(TLS, ANY, host=A)), absent=((SECOND, A), (TLS, B)),
    ),
    Row(
        "V5", "A host for every port has none that others name.", "V5-host-for-every-port",
        (At(TLS, ANY, host=A),), absent=((TLS, B),), finds=(Finds("unreachable-host", "<VirtualHost *>"),),
    ),
    Row(
        "V6", "A name with a comma matches nobody.", "V6-comma-between-aliases", (At(TLS, C, host=B),),
        absent=((TLS, "www.b.example.test"), (TLS, "www.b.example.test,")),
        finds=(Finds("unmatchable-server-name", "ServerAlias"),),
    ),
    Row(
        "V7", "Words of a comment among aliases are names.", "V7-comment-among-aliases",
        (At(TLS, C, host=B), At(TLS, "was", host=B)), absent=((TLS, "#"),),
        finds=(Finds("name-not-in-certificate", "# was c.example.test"),),
    ),
    Row(
        "V8", "A port that no socket opens.", "V8-port-without-a-socket", (At(TLS, ANY, host=A),),
        absent=((OTHER, B),), finds=(Finds("unreachable-host", "<VirtualHost *:8444>"),),
    ),
    Row(
        "V9", "A plain first host makes all of them plain.", "V9-plain-host-first",
        (At(TLS, None, handshake="plaintext"),), finds=(Finds("plaintext-on-tls-port", "b-rsa.pem"),), claim=plain_http,
    ),
    Row(
        "V10", "A later plain host answers with the first one's TLS.", "V10-later-host-without-tls",
        (At(TLS, B, host=B, files=["a-rsa.pem"]),), finds=(Finds("borrowed-certificate", "<VirtualHost"),),
        claim=neighbours_certificate,
    ),
    Row(
        "V11", "TLS switched on outside is on for plain ports.", "V11-tls-everywhere",
        (At(PLAIN, A, handshake="completes"),), finds=(Finds("tls-on-plaintext-port", ""),),
        claim=plain_requests_are_refused, public=True,
    ),
    Row(
        "V12", "Optional TLS is none.", "V12-optional-tls", (At(TLS, None, handshake="plaintext"),),
        finds=(Finds("plaintext-on-tls-port", "a-rsa.pem"),), claim=plain_http,
        warns=("AH10510",),
    ),
    Row(
        "V13", "A certificate without the engine, on an address.", "V13-engine-forgotten-with-an-address",
        (At(TLS, None, handshake="plaintext"),), finds=(Finds("plaintext-on-tls-port", "a-rsa.pem"),), claim=plain_http,
    ),
    Row(
        "V14", "The same on any address.", "V14-engine-forgotten", (At(TLS, None, handshake="plaintext"),),
        finds=(Finds("plaintext-on-tls-port", "a-rsa.pem"),), claim=plain_http,
    ),
    Row(
        "V15", "An address that cannot be resolved.", "V15-address-that-is-no-address",
        (At(TLS, None, handshake="plaintext", unknown_what=["virtual_hosts"]),), claim=plain_http, warns=("AH00547",),
    ),
    Row(
        "V16", "The default host has the port of the main server's name.", "V16-default-host-of-a-port",
        (At(TLS, None, handshake="plaintext"),), finds=(Finds("unreachable-host", "<VirtualHost _default_>"),),
        claim=plain_http,
    ),
    Row(
        "V17", "Requests for another host than the connection's are refused.", "V17-misdirected-requests",
        finds=(Finds("sni-host-mismatch", ""),), claim=misdirected,
    ),
    Row("V18", "Files come in the order of their bytes.", "V18-order-of-files", (At(TLS, ANY, host=B),)),
    Row(
        "V19", "A name with a path matches nobody.", "V19-name-with-a-path", absent=((TLS, B),),
        finds=(Finds("unmatchable-server-name", "ServerName https"),),
    ),
    Row(
        "V20", "An alias with a port matches nobody.", "V20-alias-with-a-port", absent=((TLS, B),),
        finds=(Finds("unmatchable-server-name", "ServerAlias"),),
    ),
    Row(
        "V21", "A strict check lets unknown names in.", "V21-strict-check", (At(TLS, ANY, handshake="completes"),),
        claim=without_a_name_refused,
    ),
    Row(
        "V22", "A slash behind the address leaves a host without any.", "V22-slash-behind-the-address",
        (At(TLS, None, handshake="plaintext"),), finds=(Finds("unreachable-host", "<VirtualHost"),), claim=plain_http,
        warns=("AH00547",),
    ),
    Row(
        "V23", "A host without a name answers to the main server's.", "V23-no-name",
        (At(TLS, "base.example.test", files=["b-rsa.pem"]),), absent=((TLS, B),),
        finds=(Finds("missing-server-name", "<VirtualHost"),),
    ),
    Row(
        "S1", "A misspelt module drops the TLS of a host.", "S1-misspelt-module",
        (At(TLS, None, handshake="plaintext"),), finds=(Finds("never-true-condition", "<IfModule mod_ssl>"),),
        claim=plain_http,
    ),
    Row(
        "S2", "A comment behind a condition is a part of it.", "S2-comment-behind-a-condition",
        (At(TLS, A, protocols=NEW),), finds=(Finds("never-true-condition", "<IfModule ssl_module> #"),),
    ),
    Row(
        "S3", "A misspelt name of an optional file.", "S3-misspelt-include", (At(TLS, A, protocols=NEW),),
        finds=(Finds("misspelt-include", "IncludeOptional tls/hardenning.conf"),),
    ),
    Row(
        "S4", "An optional file in a folder that nothing defines.", "S4-include-of-a-variable",
        (At(TLS, A, protocols=NEW),), finds=(Finds("undefined-variable", "IncludeOptional"),), warns=("AH00111",),
    ),
    Row(
        "S5", "A condition before the module is loaded.", "S5-module-loaded-later",
        finds=(Finds("never-true-condition", "<IfModule mod_headers.c>"),), claim=nothing_is_told,
    ),
    Row(
        "S6", "A condition that is for one exact version.", "S6-exact-version", (At(TLS, A, protocols=NEW),),
        finds=(Finds("never-true-condition", "<IfVersion 2.4>"),),
    ),
    Row(
        "S7", "The environment is no definition.", "S7-environment-is-no-define", (At(TLS, A, protocols=NEW),),
        finds=(Finds("never-true-condition", "<IfDefine TLS_STRICT>"),),
        environment=(("TLS_STRICT", "1"),),
    ),
    Row(
        "S8", "A backup file wins.", "S8-backup-is-included", (At(TLS, A, protocols=["TLSv1.2"]),),
        finds=(Finds("missing-protocol", "SSLProtocol TLSv1.2"), Finds("included-backup", "Include")),
    ),
    Row(
        "S9", "What stands behind an end tag is dropped.", "S9-directive-behind-an-end-tag",
        (At(TLS, A, protocols=NEW),), finds=(Finds("swallowed-directive", "</Directory> SSLProtocol"),),
    ),
    Row(
        "S10", "A condition that is never closed.", "S10-condition-never-closed", (At(TLS, A, protocols=["TLSv1.3"]),),
    ),
    Row(
        "S11", "A variable in other letters is the same.", "S11-variable-in-other-letters",
        (At(TLS, A, protocols=["TLSv1.2"]),), finds=(Finds("missing-protocol", "SSLProtocol ${Proto}"),),
    ),
    Row(
        "M1", "A location that asks for a certificate.", "M1-certificate-for-a-location",
        (At(TLS, A, client_certificate="none"),), claim=location_of_clients,
        finds=(Finds("client-certificate-per-location", "SSLVerifyClient require"),),
    ),
    Row(
        "M2", "A location relaxes nothing.", "M2-location-relaxes-nothing",
        (At(TLS, A, client_certificate="required"),), claim=still_required,
    ),
    Row(
        "M3", "Without an authority nobody is let in.", "M3-no-authority", (At(TLS, A, client_certificate="required"),),
        finds=(Finds("client-verification-without-ca", "SSLVerifyClient"),), claim=nobody_is_let_in,
    ),
    Row(
        "M4", "A folder without links has no authorities.", "M4-folder-without-links",
        (At(TLS, A, client_certificate="required"),), claim=nobody_is_let_in,
        finds=(Finds("client-verification-without-ca", "SSLCACertificatePath cas"),),
    ),
    Row(
        "M5", "A list of revoked certificates that nobody looks at.", "M5-list-that-nobody-looks-at",
        (At(TLS, A, client_certificate="required"),), finds=(Finds("no-revocation-check", "SSLCARevocationFile"),),
        claim=revoked_is_let_in,
    ),
    down(
        "M6", "A check without a list.", "M6-check-without-a-list", "AH01899", "server-will-not-start",
        "SSLCARevocationCheck",
    ),
    Row(
        "M7", "A first host that asks everybody without a name.", "M7-first-host-asks-everybody",
        (At(TLS, None, client_certificate="required"), At(TLS, B, client_certificate="none")),
        claim=clients_without_a_name_are_refused,
    ),
    Row(
        "M8", "Any certificate will do.", "M8-any-certificate", (At(TLS, A, client_certificate="optional"),),
        finds=(Finds("unenforced-client-certificate", "optional_no_ca"),), claim=strangers_are_let_in,
    ),
    Row(
        "M9", "No depth at all.", "M9-no-depth", (At(TLS, A, client_certificate="required"),), claim=too_deep,
        finds=(Finds("short-verify-depth", "SSLVerifyDepth 0"),),
    ),
    Row(
        "M10", "A plain host that requires TLS.", "M10-tls-required-on-a-plain-host",
        (At(PLAIN, None, handshake="plaintext"),), claim=plain_is_forbidden,
    ),
    Row(
        "M11", "Suites of a location.", "M11-suites-of-a-location",
        (At(TLS, A, **{"ciphers.TLSv1.3": NEW_SUITES}),), claim=any_suite_in_tls13,
        finds=(Finds("client-certificate-per-location", "SSLCipherSuite AES256-SHA"),),
    ),
    Row(
        "M12", "A location asks a second time.", "M12-asked-twice", (At(TLS, A, client_certificate="optional"),),
        claim=location_of_clients,
        finds=(Finds("client-certificate-per-location", "SSLVerifyClient require"),),
    ),
    Row(
        "M13", "The result is required instead.", "M13-result-required", (At(TLS, A, client_certificate="optional"),),
        claim=by_result,
    ),
    down(
        "O1", "Stapling without a cache.", "O1-stapling-without-cache", "AH01958", "stapling-without-cache",
        "SSLUseStapling",
    ),
    Row(
        "O2", "Stapling without a responder.", "O2-stapling-without-responder",
        finds=(Finds("stapling-without-responder", "SSLUseStapling"),), claim=nothing_is_stapled,
    ),
    Row(
        "O3", "A responder that is out of reach.", "O3-responder-out-of-reach", claim=try_later,
        later="whether a responder answers is in no configuration",
    ),
    Row(
        "F1", "A header that errors do not have.", "F1-header-not-on-errors",
        finds=(Finds("malformed-hsts", "Header set"),), claim=not_with_errors,
    ),
    Row(
        "F2", "A header that is sent twice.", "F2-header-twice", finds=(Finds("malformed-hsts", "Header always set"),),
        claim=sent_twice,
    ),
    Row(
        "F3", "A header that is not taken back.", "F3-header-not-taken-back", sends=("max-age=63072000",),
        claim=still_sent,
    ),
    Row(
        "F4", "A redirect of the main server.", "F4-redirect-of-the-main-server",
        finds=(Finds("missing-https-redirect", "VirtualHost *:80"),), claim=stays_plain, public=True,
    ),
    Row(
        "F5", "A redirect whose engine is off.", "F5-redirect-engine-off",
        finds=(Finds("missing-https-redirect", "VirtualHost *:80"),), claim=stays_plain, public=True,
    ),
    Row(
        "F6", "A redirect without a slash.", "F6-redirect-without-a-slash",
        finds=(Finds("redirect-without-slash", "Redirect permanent / "),), claim=names_run_together,
    ),
    Row(
        "F7", "A redirect in a circle.", "F7-redirect-in-a-circle",
        finds=(Finds("looping-redirect", "Redirect permanent / "),), claim=in_a_circle,
    ),
    Row(
        "R1", "A backend that nobody verifies.", "R1-backend-not-verified",
        finds=(Finds("unverified-upstream", "ProxyPass"),), claim=backend_is_believed,
    ),
    Row(
        "R2", "An authority for backends that is not used.", "R2-authority-not-used",
        finds=(Finds("unverified-upstream", "ProxyPass"),), claim=backend_is_believed,
    ),
    Row(
        "R3", "A backend of another name.", "R3-name-not-checked",
        finds=(Finds("unverified-upstream", "", message="name"),), claim=backend_is_believed,
    ),
    Row(
        "R4", "A proxy without its engine.", "R4-proxy-without-tls", finds=(Finds("proxy-engine-off", "ProxyPass"),),
        claim=no_connection_to_the_backend,
    ),
    Row("H1", "HTTP/2 that nobody offers.", "H1-http2-not-offered", (At(TLS, A, alpn=["http/1.1"]),), claim=no_http2),
    Row(
        "H2", "HTTP/2 with processes.", "H2-http2-with-prefork", (At(TLS, A, alpn=["http/1.1"]),),
        claim=no_http2_with_prefork,
    ),
    Row(
        "H3", "HTTP/2 with suites that it forbids.", "H3-http2-with-old-suites", (At(TLS, A, alpn=["h2", "http/1.1"]),),
        finds=(Finds("http2-forbidden-cipher", "SSLCipherSuite"),), claim=http2_then_nothing,
    ),
    Row(
        "H4", "HTTP/2 without its module.", "H4-http2-without-its-module", (At(TLS, A, alpn=["http/1.1"]),),
        claim=no_http2,
    ),
    Row(
        "D1", "A managed host that has no certificate yet.", "D1-managed-without-a-certificate",
        (At(TLS, A, handshake="unknown", unknown_what=["certificates"]),), claim=not_yet_there,
        unscanned=True,
    ),
)  # fmt: skip
