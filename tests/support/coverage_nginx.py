"""What passes `nginx -t` without a warning and yet misbehaves on the wire, row by row, and how tlslint shows it.

The rows are numbered as in the reference that the project was built from (nginx, section 12). A row is covered by
what `show` predicts, by a rule that points at the line, or by neither, for the reason that it gives (`later`).
`tests/wire/test_coverage_table.py` holds every claim against real servers.
"""

import os
import shutil
import ssl
import time

import pytest

from support.coverage import FIXTURES, At, Finds, Live, Row, exchange, fails, headers, status

TLS = "127.0.0.1:8443"
OTHER = "127.0.0.1:8444"
THIRD = "127.0.0.1:8445"
PLAIN = "127.0.0.1:8080"
A, B = "a.example.test", "b.example.test"
ANY = "*"
HSTS = "Strict-Transport-Security"
NEW_SUITES = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]


# -- what clients see ----------------------------------------------------------------------------------------------


def retry_fails(live: Live) -> None:
    # its key share is for the first of these groups, which the server does not have
    for name, works in ((A, True), (B, not live.is_old)):
        answer = live.s_client(TLS, name, "-groups", "X25519:P-256")
        assert ("Cipher is TLS_AES" in answer) is works
        assert ("alert illegal parameter" in answer) is not works


def waits_in_vain(live: Live) -> None:
    for listen, answer in ((TLS, b""), (OTHER, b"hello")):
        with live.tls(listen, A) as connection:
            assert connection.recv(10) == answer


def connection_of_another_name(live: Live) -> None:
    for name, other in ((A, f"www.{A}"), (f"www.{A}", A)):
        assert status(live.ask(TLS, name, certificate="client-1")) == 200
        assert status(live.ask(TLS, name, other, certificate="client-1")) == 421
        # alone on its socket a host is not chosen by name
        assert status(live.ask(OTHER, name, other, certificate="client-1")) == 200


def content_of_the_rejecting(live: Live) -> None:
    assert "unrecognized name" in fails(live, TLS, B)
    assert "b.example.test\n" in live.ask(TLS, A, B)


def session_of_another_location(live: Live) -> None:
    # nothing but a session tells the last two apart
    for path, expected in (("/right", 200), ("/wrong", 200), ("/alone", 502)):
        assert status(live.ask(TLS, A, path=path)) == expected, path


def nobody_is_let_in(live: Live) -> None:
    assert status(live.ask(TLS, B)) == 400
    assert status(live.ask(TLS, B, certificate="client-1")) == 400
    assert status(live.ask(TLS, A)) == 200


def wrong_version(live: Live) -> None:
    assert fails(live, TLS, A).count("wrong version number")
    assert status(live.ask_plainly(TLS, A)) == 200


def needs_proxy_header(live: Live) -> None:
    with pytest.raises(OSError, match=r"(?i)reset|EOF|closed"), live.tls(TLS, A):
        pass


def plain_requests_are_refused(live: Live) -> None:
    answer = live.ask_plainly(TLS, B)
    assert status(answer) == 400
    assert "plain HTTP request was sent to HTTPS port" in answer


def plain_port_asks_nothing(live: Live) -> None:
    assert status(live.ask_plainly(PLAIN, A)) == 200
    assert status(live.ask(TLS, A)) == 400


def any_certificate_is_taken(live: Live) -> None:
    assert status(live.ask(TLS, A, certificate="client-1")) == 200


def clients_of_the_default_server(live: Live) -> None:
    assert status(live.ask(TLS, None, B, certificate="client-1")) == 200
    assert status(live.ask(TLS, A, B, certificate="client-1")) == 421
    assert status(live.ask(TLS, B, certificate="client-1")) == 400


def strangers_get_content(live: Live) -> None:
    assert status(live.ask(TLS, A)) == 200


def strangers_are_not_refused(live: Live) -> None:
    # there is no page, and nobody keeps strangers from asking for it
    assert status(live.ask(TLS, A, certificate="client-2")) == 404


def passes_the_comparison(live: Live) -> None:
    assert status(live.ask(TLS, B, "d.example.test", certificate="client-2")) == 200
    assert status(live.ask(TLS, "d.example.test")) == 403


def clients_of_the_chain_file(live: Live) -> None:
    assert status(live.ask(TLS, A, certificate="client-2")) == 200


def everybody_is_refused(live: Live) -> None:
    assert status(live.ask(TLS, A, certificate="client-1")) == 400


def revoked_client_resumes(live: Live) -> None:
    client = live.context(certificate="client-1", version=ssl.TLSVersion.TLSv1_2)

    def ask(session: ssl.SSLSession | None = None) -> tuple[str, ssl.SSLSession | None]:
        with live.connect(TLS) as plain, client.wrap_socket(plain, server_hostname=A, session=session) as connection:
            kept = connection.session
            return exchange(connection, A, "/"), kept

    first, session = ask()
    assert status(first) == 200
    worker = first.splitlines()[-1]
    revoked = live.server.configuration.parent / "clients.crl"
    shutil.copy(FIXTURES / "certificates/client-ca-1-crl-later.pem", revoked)
    # newer versions do not read a file again that has the same time, in seconds
    os.utime(revoked, (0, 0))
    live.server.reload()
    deadline = time.monotonic() + 20
    # the old worker accepts connections for a while
    while (answer := ask(session)[0]).splitlines()[-1] == worker:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert status(answer) == 200
    while status(ask()[0]) == 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def nothing_is_stapled(live: Live) -> None:
    assert "OCSP response: no response sent" in live.s_client(TLS, A, "-status")


def gap(live: Live) -> None:
    version = ssl.TLSVersion
    with live.tls(TLS, A, version=version.TLSv1) as old:
        assert old.version() == "TLSv1"
    fails(live, TLS, A, version=version.TLSv1_2)


def no_header(live: Live) -> None:
    assert headers(live.ask(TLS, A), HSTS) == []


def header_missing_on_errors(live: Live) -> None:
    answer = live.ask(TLS, A)
    assert status(answer) == 404
    assert headers(answer, HSTS) == []


def header_has_backslash(live: Live) -> None:
    assert headers(live.ask(TLS, A), HSTS) == ["max-age=63072000\\;includeSubDomains"]


def header_over_plain_http(live: Live) -> None:
    assert headers(live.ask_plainly(PLAIN, A), HSTS) == ["max-age=63072000"]


def upstream_is_believed(live: Live) -> None:
    answer = live.ask(TLS, A)
    assert status(answer) == 200
    assert "name= host=" in answer


def upstream_is_named_after_its_block(live: Live) -> None:
    assert "name=backends host=backends" in live.ask(TLS, A)


def upstream_is_out_of_reach(live: Live) -> None:
    # TLS 1.3 is on by default for upstreams since 1.23.4
    assert status(live.ask(TLS, A)) == (502 if live.nginx.version < (1, 23, 4) else 200)


def no_http1(live: Live) -> None:
    with live.connect(PLAIN) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a.example.test\r\nConnection: close\r\n\r\n")
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200") == (live.nginx.version >= (1, 25, 1))


def no_common_alpn(live: Live) -> None:
    assert "no application protocol" in fails(live, TLS, A, alpn=["h2"])


def answered_by_default(live: Live) -> None:
    assert "a.example.test\n" in live.ask(TLS, B, None)
    assert "b.example.test\n" in live.ask(TLS, B)


def login_is_offered(live: Live) -> None:
    for listen, disabled in (("127.0.0.1:8143", False), ("127.0.0.1:8144", True)):
        with live.connect(listen) as connection:
            connection.recv(4096)
            connection.sendall(b"a CAPABILITY\r\n")
            assert (b"LOGINDISABLED" in connection.recv(4096)) is disabled


def servers_are_clients(live: Live) -> None:
    assert status(live.ask(TLS, A, certificate="any-purpose")) == 200
    # for servers only, by what it says itself
    assert status(live.ask(OTHER, A, certificate="a-rsa")) == 400


def only_for_known_names(live: Live) -> None:
    # the certificate is looked for in a file named after the SNI
    assert live.served(TLS, "a-rsa")
    assert "internal error" in fails(live, TLS, "nobody-rsa")
    assert "internal error" in fails(live, TLS, None)


ROWS = (
    Row(
        1, "The default server widens the protocols of a named one.", "01-protocols-loosened-by-default",
        (At(TLS, B, old={"protocols": ["TLSv1.2", "TLSv1.3"]}, new={"protocols": ["TLSv1.3"]}),),
        finds=(Finds("shadowed-protocols", "ssl_protocols TLSv1.3;", until=(1, 29, 2)),),
    ),
    Row(
        2, "The default server narrows them.", "02-protocols-narrowed-by-default",
        (At(TLS, B, old={"protocols": ["TLSv1.3"]}, new={"protocols": ["TLSv1.2", "TLSv1.3"]}),),
    ),
    Row(
        3, "A named server gets old protocols from the default server.", "03-old-protocols-from-default",
        (
            At(
                TLS, B, old={"protocols": ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]},
                new={"protocols": ["TLSv1.2", "TLSv1.3"]},
            ),
        ),
    ),
    Row(
        4, "TLS 1.3 suites come from the default server.", "04-ciphersuites-from-default",
        (
            At(
                TLS, B, old={"ciphers.TLSv1.3": ["TLS_AES_256_GCM_SHA384"], "hello_retry": "fails"},
                new={"ciphers.TLSv1.3": ["TLS_AES_128_GCM_SHA256"], "hello_retry": "works"},
            ),
        ),
        finds=(Finds("hello-retry-mismatch", "Ciphersuites TLS_AES_128", until=(1, 29, 2)),), claim=retry_fails,
    ),
    Row(
        5, "Groups come from the default server.", "05-groups-from-default", (At(TLS, B, groups=["prime256v1"]),),
        finds=(Finds("settings-shadowed-by-default-server", "ssl_ecdh_curve secp384r1"),),
    ),
    Row(
        6, "A lowest protocol for one name has no effect.", "06-min-protocol-of-a-name",
        (At(TLS, B, protocols=["TLSv1.2", "TLSv1.3"]),),
    ),
    Row(
        7, "Ticket keys, session cache and lifetime come from the default server.", "07-sessions-from-default",
        (
            At(
                TLS, B, **{
                    "settings.ticket_keys.value": "default.key", "settings.session_cache.value": "none",
                    "sessions.lifetime": 600,
                }
            ),
        ),
        finds=(
            Finds("settings-shadowed-by-default-server", "ssl_session_ticket_key named.key"),
            Finds("settings-shadowed-by-default-server", "ssl_session_cache shared"),
            Finds("settings-shadowed-by-default-server", "ssl_session_timeout 10s"),
        ),
    ),
    Row(
        8, "Without tickets in the default server a named one has none.", "08-tickets-off-in-default",
        (At(TLS, B, old={"sessions.tickets": {"TLSv1.2": False, "TLSv1.3": True}},
            new={"sessions.tickets": {"TLSv1.2": True, "TLSv1.3": True}}),),
    ),
    Row(
        9, "Early data of the default server is taken for every name.", "09-early-data-of-default",
        (At(TLS, B, **{"sessions.early_data": True}),),
    ),
    Row(
        10, "Early data of a named server alone is never taken.", "10-early-data-of-a-name",
        (At(TLS, B, **{"sessions.early_data": False}),),
    ),
    Row(
        11, "A name without a certificate gets the default server's, and its settings.", "11-no-certificate-of-its-own",
        (At(TLS, B, host=B, files=["a-rsa.pem"], protocols=["TLSv1.2"]),),
        finds=(Finds("borrowed-certificate", "server {"),),
    ),
    Row(
        12, "Verification in a server without a certificate keeps everybody out.",
        "12-verification-without-certificate", (At(TLS, B, files=["a-rsa.pem"], client_certificate="none"),),
        claim=nobody_is_let_in,
    ),
    Row(
        13, "Certificates on a listener that nobody made speak TLS.", "13-ssl-forgotten",
        (At(TLS, None, handshake="plaintext"),), claim=wrong_version,
        finds=(Finds("plaintext-on-tls-port", "ssl_certificate "),),
    ),
    Row(
        14, "Without `listen` a server speaks plain HTTP on port 80.", "14-listen-forgotten",
        (At("0.0.0.0:80", None, handshake="plaintext"),), read_only="it would listen on every address",
    ),
    Row(
        15, "Without a port TLS is on port 80.", "15-port-forgotten",
        (At("127.0.0.77:80", ANY, handshake="completes"),),
        finds=(Finds("tls-on-plaintext-port", "listen 127.0.0.77 ssl"),), binds=("127.0.0.77", 80),
    ),
    Row(
        16, "A specific address hides the servers of the wildcard one.", "16-specific-address-hides-wildcard",
        (At(TLS, ANY, host=B), At("0.0.0.0:8443", ANY, host=A)), absent=((TLS, A), ("0.0.0.0:8443", B)),
        read_only="it would listen on every address",
    ),
    Row(
        17, "Each family of addresses has a default server of its own.", "17-defaults-of-two-families",
        (At(TLS, None, host=A), At("[::1]:8443", None, host=B)), absent=(("[::1]:8443", A),),
    ),
    Row(
        18, "A dual-stack socket beside the IPv4 one keeps nginx from starting.", "18-dual-stack-beside-ipv4",
        finds=(Finds("server-will-not-start", "listen [::]:8443"),), read_only="it would listen on every address",
    ),
    Row(
        19, "http and stream on one socket keep nginx from starting.", "19-one-socket-two-modules",
        finds=(Finds("server-will-not-start", "listen 127.0.0.1:8443;"),), refuses_to_start="Address (already )?in use",
    ),
    Row(
        20, "A neighbour's PROXY protocol resets everybody's clients.", "20-proxy-protocol-of-a-neighbour",
        (At(TLS, A, proxy_protocol=True),), claim=needs_proxy_header, warns=(),
    ),
    Row(
        21, "A neighbour's `ssl` makes a plain server speak TLS.", "21-tls-of-a-neighbour",
        (At(TLS, B, handshake="completes", files=["b-rsa.pem"]),), claim=plain_requests_are_refused,
    ),
    Row(
        22, "A neighbour's `http2` offers h2 for all names.", "22-http2-of-a-neighbour",
        (At(TLS, A, alpn=["h2", "http/1.1"]),), warns=('the "listen ... http2" directive is deprecated',),
    ),
    Row(
        23, "A key of another type than its certificate fails every handshake.", "23-key-of-another-type",
        (At(TLS, ANY, handshake="rejected"), At(OTHER, ANY, handshake="rejected")),
        finds=(Finds("key-mismatch", "ssl_certificate_key"),),
    ),
    Row(
        24, "An inherited key of another type does so too.", "24-inherited-key-of-another-type",
        (At(TLS, ANY, handshake="rejected"),), finds=(Finds("key-mismatch", "a-rsa.key"),),
    ),
    Row(
        25, "Of two certificates of one type only the last is served.", "25-two-certificates-of-a-type",
        (At(TLS, ANY, files=["b-rsa.pem"]),), finds=(Finds("replaced-certificate", "a-rsa.pem"),),
    ),
    Row(
        26, "Certificates that are expired, too young, of other names or of an authority are served.",
        "26-certificates-that-nobody-checked",
        (At(TLS, ANY, files=["a-rsa-expired.pem"]), At(OTHER, ANY, files=["a-rsa-future.pem"])),
        finds=(
            Finds("expired-certificate", "a-rsa-expired.pem"), Finds("not-yet-valid-certificate", "a-rsa-future.pem"),
            Finds("name-not-in-certificate", "other.example.test"),
            Finds("ca-as-server-certificate", "intermediate-rsa.pem"),
        ),
    ),
    Row(
        27, "An intermediate in the trusted file is not sent.", "27-intermediate-in-trusted-file",
        (At(TLS, ANY, chain_lengths=[1]),), finds=(Finds("missing-intermediate", "a-rsa-leaf.pem"),),
    ),
    Row(
        28, "What stands in the certificate file is sent as it stands.", "28-chains-as-they-stand",
        (At(TLS, ANY, chain_lengths=[3]), At(OTHER, ANY, chain_lengths=[2]), At(THIRD, ANY, chain_lengths=[3])),
        finds=(
            Finds("root-in-chain", "a-rsa-reordered.pem"), Finds("unrelated-certificate", "a-rsa-unrelated.pem"),
            Finds("unrelated-certificate", "a-rsa-duplicate.pem"),
        ),
    ),
    Row(
        29, "A damaged BEGIN line drops the rest of the chain.", "29-damaged-chain",
        (At(TLS, ANY, chain_lengths=[1]),), finds=(Finds("missing-intermediate", "a-rsa-damaged.pem"),),
    ),
    Row(
        30, "Suites for another type of key fail every handshake.", "30-ciphers-for-another-key",
        (At(TLS, ANY, handshake="rejected"),), finds=(Finds("unusable-cipher-list", "ssl_ciphers"),),
    ),
    Row(
        31, "DHE alone, without parameters, fails every handshake.", "31-dhe-without-parameters",
        (At(TLS, ANY, handshake="rejected"),), finds=(Finds("unusable-cipher-list", "ssl_ciphers"),),
    ),
    Row(
        32, "NULL, anonymous and PSK suites alone fail every handshake.", "32-ciphers-that-no-client-takes",
        tuple(At(listen, ANY, handshake="rejected") for listen in (TLS, OTHER, THIRD)),
    ),
    Row(
        33, "A misspelt suite is dropped without a word.", "33-misspelt-suite",
        (At(TLS, ANY, ciphers={"TLSv1.2": ["ECDHE-RSA-AES256-GCM-SHA384"]}),),
        finds=(Finds("unknown-cipher", "ssl_ciphers"),),
    ),
    Row(
        34, "TLS 1.3 suites in `ssl_ciphers` have no effect.", "34-tls13-suite-in-ciphers",
        (At(TLS, ANY, **{"ciphers.TLSv1.3": NEW_SUITES}),),
        finds=(Finds("tls13-suite-in-cipher-list", "ssl_ciphers"),),
    ),
    Row(
        35, "Repeated `ssl_protocols` add up.", "35-protocols-add-up",
        (At(TLS, ANY, protocols=["TLSv1.2", "TLSv1.3"]),),
        finds=(Finds("repeated-protocols", "ssl_protocols TLSv1.2;"),),
    ),
    Row(
        36, "With a gap between protocols a client of today may get the oldest one.", "36-gap-between-protocols",
        (At(TLS, ANY, protocols=["TLSv1", "TLSv1.3"]),), claim=gap,
    ),
    Row(
        37, "Old protocols are not negotiated at the usual security level.", "37-protocols-below-the-level",
        (At(TLS, ANY, protocols=["TLSv1.2"]),),
    ),
    Row(38, "SSLv3 alone negotiates nothing.", "38-sslv3-alone", (At(TLS, ANY, handshake="rejected"),)),
    Row(
        39, "Nothing is left between the bounds.", "39-no-protocol-between-bounds",
        (At(TLS, ANY, handshake="rejected"),), finds=(Finds("no-protocol", "ssl_conf_command MaxProtocol"),),
    ),
    Row(
        40, "An empty list of TLS 1.3 suites fails every handshake.", "40-empty-ciphersuites",
        (At(TLS, ANY, handshake="rejected"),),
    ),
    Row(
        41, "A certificate by command without its key fails every handshake.", "41-certificate-by-command",
        (At(TLS, ANY, handshake="rejected"),),
    ),
    Row(
        42, "`VerifyMode Require` takes every client certificate.", "42-certificate-that-nobody-checks",
        (At(TLS, ANY, client_certificate="required"),),
        finds=(Finds("unenforced-client-certificate", "ssl_conf_command VerifyMode"),),
        claim=any_certificate_is_taken, unscanned=True,
    ),
    Row(
        43, "One command in a server drops all inherited ones.", "43-commands-lost",
        (At(TLS, ANY, **{"ciphers.TLSv1.3": NEW_SUITES}),),
    ),
    Row(
        44, "Without its semicolon a line swallows the next.", "44-semicolon-forgotten",
        (
            At(
                TLS, ANY, old={"settings.protocols.default": "nginx's default (1.22.1)"},
                new={"settings.protocols.default": "nginx's default (1.31.3)"},
            ),
        ),
        finds=(Finds("swallowed-directive", "ssl_protocols TLSv1.3"),),
    ),
    Row(
        45, "Names with a port, a comma, a last dot, other letters or a variable never match.",
        "45-names-that-never-match", (At(TLS, ANY, host=A),),
        absent=((TLS, "b.example.test:8443"), (TLS, "www.a.example.test."), (TLS, "$host")),
        finds=(Finds("unmatchable-server-name", "server_name b.example.test"),),
    ),
    Row(46, "`_` catches nothing.", "46-underscore-is-no-catch-all", (At(TLS, ANY, host=A, files=["a-rsa.pem"]),)),
    Row(
        47, "A pattern without anchors matches inside other names.", "47-pattern-without-anchors",
        (At(TLS, r"~a\.example\.test", files=["a-rsa.pem"]),),
        samples=((r"~a\.example\.test", "evil-a.example.test.example.net"),),
    ),
    Row(
        48, "A wildcard name covers more labels than its certificate.", "48-wildcard-of-two-labels",
        (At(TLS, "*.w.example.test", files=["w-rsa.pem"]),), samples=(("*.w.example.test", "x.y.w.example.test"),),
    ),
    Row(
        49, "Names are not looked at while a server is alone on its socket.", "49-pattern-that-is-never-looked-at",
        (At(TLS, ANY, host="www.*.example"),),
    ),
    Row(
        50, "Without SNI the default server's CA decides for another host.", "50-clients-of-the-default-server",
        finds=(Finds("client-certificate-bypass", "client-ca-2.pem"),), claim=clients_of_the_default_server,
    ),
    Row(
        51, "Without SNI another host's CRL is not looked at.", "51-list-of-another-host",
        finds=(Finds("client-certificate-bypass", "ssl_crl"),),
    ),
    Row(
        # resumed by `test_clients`
        52, "A session of one name is resumed for another.", "52-session-of-another-host",
        finds=(Finds("client-certificate-bypass", "client-ca-2.pem", until=(1, 29, 2)),),
    ),
    Row(
        53, "A client CA alone asks for no certificate.", "53-client-ca-without-verification",
        (At(TLS, ANY, client_certificate="none"),),
        finds=(Finds("client-verification-off", "ssl_client_certificate"),),
    ),
    Row(
        54, "`optional` lets everybody in where nothing looks at the result.", "54-optional-and-unused",
        (At(TLS, ANY, client_certificate="optional"),),
        finds=(Finds("unenforced-client-certificate", "ssl_verify_client optional"),), claim=strangers_get_content,
    ),
    Row(
        55, "`= FAILED` never matches.", "55-failed-without-a-reason",
        finds=(Finds("unenforced-client-certificate", "$ssl_client_verify = FAILED"),), claim=strangers_are_not_refused,
    ),
    Row(
        56, "A check by variable is passed with another host's CA.", "56-comparison-without-verification",
        finds=(Finds("client-certificate-bypass", "$ssl_client_verify != SUCCESS"),), claim=passes_the_comparison,
    ),
    Row(
        57, "A chain for stapling decides who is a client.", "57-chain-file-lets-clients-in",
        finds=(Finds("widened-client-ca", "ssl_trusted_certificate"),), claim=clients_of_the_chain_file,
    ),
    Row(
        58, "An error page serves content without a certificate.", "58-error-page-with-content",
        finds=(Finds("unenforced-client-certificate", "error_page 495 496"),), claim=strangers_get_content,
        unscanned=True,  # to the scanner it looks as if certificates were optional
    ),
    Row(
        59, "A plain port beside the verifying one asks nothing.", "59-verification-on-one-of-two-ports",
        (At(PLAIN, None, handshake="plaintext", host=A), At(TLS, ANY, client_certificate="required", host=A)),
        finds=(Finds("unenforced-client-certificate", "listen 127.0.0.1:8080"),), claim=plain_port_asks_nothing,
    ),
    Row(
        60, "An intermediate alone as client CA keeps everybody out.", "60-intermediate-as-client-ca",
        finds=(Finds("short-verify-depth", "intermediate-rsa.pem"),),
    ),
    Row(
        61, "A missing or expired CRL keeps everybody out.", "61-lists-of-other-authorities",
        finds=(Finds("expired-client-ca", "ssl_crl"),), claim=everybody_is_refused,
    ),
    Row(
        62, "A revoked client resumes its session.", "62-session-of-the-revoked",
        finds=(Finds("session-outlives-revocation", "ssl_crl"),), claim=revoked_client_resumes,
    ),
    Row(
        63, "OCSP for clients without verification checks nothing.", "63-ocsp-without-verification",
        (At(TLS, ANY, client_certificate="none"),), finds=(Finds("client-verification-off", "ssl_ocsp"),),
    ),
    Row(
        64, "A verifying host answers 421 to another name of its own.", "64-connection-of-another-name",
        (At(TLS, A, alpn=["h2", "http/1.1"]),), finds=(Finds("sni-host-mismatch", "ssl_verify_client on"),),
        claim=connection_of_another_name, warns=('the "listen ... http2" directive is deprecated',),
    ),
    Row(
        65, "Content of a rejecting server is reached through another name.", "65-content-behind-rejection",
        finds=(Finds("reachable-rejecting-host", "ssl_reject_handshake on"),), claim=content_of_the_rejecting,
    ),
    Row(
        66, "Rejecting is inherited by every server.", "66-rejecting-everywhere",
        (At(TLS, A, handshake="rejected"), At(TLS, B, handshake="rejected"), At(TLS, ANY, handshake="rejected")),
    ),
    Row(
        67, "A header in a location drops the inherited ones.", "67-header-lost-in-location",
        finds=(Finds("lost-hsts", "add_header X-Frame-Options"),), claim=no_header,
    ),
    Row(
        68, "Without `always` a header is missing on errors.", "68-header-without-always",
        finds=(Finds("malformed-hsts", "add_header Strict"),), claim=header_missing_on_errors,
    ),
    Row(
        69, "An escaped semicolon is sent with its backslash.", "69-header-with-backslash",
        finds=(Finds("malformed-hsts", "add_header Strict"),), claim=header_has_backslash,
    ),
    Row(
        70, "The header is sent over plain HTTP.", "70-header-on-plain-http",
        finds=(Finds("malformed-hsts", "add_header Strict"),), claim=header_over_plain_http,
    ),
    Row(71, "The upstream's header is sent as well.", later="what a program sends is in no configuration of nginx"),
    Row(
        72, "An upstream is neither verified nor told the name.", "72-upstream-not-verified",
        finds=(Finds("unverified-upstream", "proxy_pass"), Finds("upstream-without-sni", "proxy_pass")),
        claim=upstream_is_believed,
    ),
    Row(
        73, "A CA for upstreams is not even opened.", "73-upstream-ca-not-used",
        finds=(Finds("unverified-upstream", "proxy_"),), claim=upstream_is_believed,
    ),
    Row(
        74, "SNI and Host are the name of the upstream block.", "74-upstream-named-after-its-block",
        finds=(Finds("unverified-upstream", "proxy_pass"),), claim=upstream_is_named_after_its_block,
    ),
    Row(
        75, "A session of one location spares another its check.", "75-session-of-another-location",
        finds=(Finds("shared-upstream-session", "proxy_ssl_trusted_certificate ../../../certificates/root-ec.pem"),),
        claim=session_of_another_location,
    ),
    Row(
        76, "Old versions do not reach an upstream of TLS 1.3 alone.", "76-upstream-of-tls13-only",
        finds=(Finds("weak-upstream-protocol", "proxy_pass", until=(1, 27, 3)),), claim=upstream_is_out_of_reach,
    ),
    Row(77, "The first handshake of each worker has no staple.", later="so does every server that fetches responses"),
    Row(
        78, "A certificate that must be stapled is not.", "78-must-staple-without-stapling",
        finds=(Finds("missing-must-staple", "must-staple.pem"),),
    ),
    Row(
        79, "Without tickets TLS 1.3 still sends some.", "79-tickets-off",
        (At(TLS, ANY, **{"sessions.tickets": {"TLSv1.2": False, "TLSv1.3": True}}),),
    ),
    Row(80, "A lifetime of zero is two hours.", "80-timeout-of-zero", (At(TLS, ANY, **{"sessions.lifetime": 7200}),)),
    Row(
        81, "Certificates named by variables fail at run time.", "81-certificate-by-variable",
        (At(TLS, ANY, handshake="unknown", certificates=[], unknown_what=["certificates"]),),
        claim=only_for_known_names, unscanned=True,
    ),
    Row(
        82, "A mask takes backup files, in the order of bytes.", "82-backup-is-included",
        (At(TLS, None, host=B), At(TLS, A, host=A)), finds=(Finds("included-backup", "include"),),
    ),
    Row(
        83, "Included files sort by bytes, so `10` is before `2`.", "83-order-of-included-files",
        (At(TLS, None, host=B),),
    ),
    Row(
        84, "A mask that matches nothing includes nothing.", "84-mask-without-a-match", (At(TLS, ANY, host=A),),
        absent=((OTHER, B), (TLS, B)),
    ),
    Row(85, "A file that is replaced with its old time is not read again.", later="no configuration shows it"),
    Row(
        86, "In stream an address without a port gets any port.", "86-stream-without-a-port",
        (At("127.0.0.1:0", ANY, handshake="completes"),), unscanned=True,
    ),
    Row(
        87, "Preread on a TLS socket waits for a second ClientHello.", "87-preread-on-tls",
        finds=(Finds("preread-on-tls-listener", "ssl_preread on"),), claim=waits_in_vain,
    ),
    Row(
        88, "HTTP/2 without TLS speaks nothing else.", "88-http2-without-tls",
        (At(PLAIN, None, handshake="plaintext"),), warns=('the "listen ... http2" directive is deprecated',),
        claim=no_http1,
    ),
    Row(
        89, "A client of h2 alone is refused by HTTP/1.", "89-http1-only", (At(TLS, ANY, alpn=["http/1.1"]),),
        claim=no_common_alpn,
    ),
    Row(
        90, "A name without TLS 1.3 on a QUIC socket.", "90-quic-name-without-tls13",
        (At(TLS, B, old={"handshake": "completes"}, new={"handshake": "rejected"}),),
        targets=("nginx=1.26.3,openssl=3.0.19", "nginx=1.31.4,openssl=3.0.19"), read_only="no server here speaks QUIC",
    ),
    Row(
        91, "QUIC alone is no TLS over TCP.", "91-quic-alone",
        (At(TLS, ANY, transport="quic"),), targets=("nginx=1.26.3,openssl=3.0.19", "nginx=1.31.4,openssl=3.0.19"),
        read_only="no server here speaks QUIC",
    ),
    Row(
        92, "HTTP/3 is never advertised by itself.", "92-quic-not-advertised",
        finds=(Finds("missing-alt-svc", "listen 127.0.0.1:8443 quic"),),
        targets=("nginx=1.26.3,openssl=3.0.19", "nginx=1.31.4,openssl=3.0.19"), read_only="no server here speaks QUIC",
    ),
    Row(
        93, "The library's configuration lowers the level.", "93-level-of-the-library",
        (At(TLS, ANY, protocols=["TLSv1", "TLSv1.1", "TLSv1.2"]),), openssl_conf=True,
    ),
    Row(
        94, "The library's bounds have no effect on nginx.", "94-bounds-of-the-library",
        (At(TLS, ANY, protocols=["TLSv1.2", "TLSv1.3"]),), openssl_conf=True,
    ),
    Row(
        95, "A request without a host is answered by the default server.", "95-request-without-host",
        finds=(Finds("default-server-serves-site", "server_name a.example.test"),), claim=answered_by_default,
    ),
    Row(
        96, "The server's own CA lets server certificates in as clients.", "96-server-as-client",
        finds=(Finds("server-certificate-as-client", "client-ca-1.pem"),), claim=servers_are_clients,
    ),
    Row(
        97, "`starttls on` still offers a login in clear text.", "97-starttls-is-voluntary",
        (At("127.0.0.1:8143", None, starttls="on"), At("127.0.0.1:8144", None, starttls="only")),
        claim=login_is_offered,
    ),
    Row(
        98, "Settings of OCSP without their main directive do nothing.", "98-stapling-settings-without-stapling",
        finds=(Finds("stapling-off", "ssl_stapling_verify"), Finds("stapling-off", "ssl_stapling_file")),
        claim=nothing_is_stapled,
    ),
)  # fmt: skip
