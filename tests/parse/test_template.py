"""Templates are told from configuration, on the whole corpus and in small."""

import pytest

from parse.corpus import corpus
from tlslint.parse.template import template_engine
from tlslint.parse.tree import Source

NO_MARKER = "named as a template of its package, but nothing is to be filled in: the text is what the server reads"
UNMARKED_TEMPLATES = {
    "apache/CpanelInc__ea-apache2-config/SOURCES/php_add_handler_fix.conf": NO_MARKER,
    "apache/ManageIQ__manageiq-appliance/TEMPLATE/etc/httpd/conf.d/manageiq-external-auth.conf.erb": NO_MARKER,
    "apache/openstreetmap__chef/cookbooks/dev/templates/default/apache.apis.erb": NO_MARKER,
    "apache/openstreetmap__chef/cookbooks/dev/templates/default/apache.dev.erb": NO_MARKER,
    "apache/openstreetmap__chef/cookbooks/dev/templates/default/apache.ooc.erb": NO_MARKER,
    "apache/openstreetmap__chef/cookbooks/dev/templates/default/apache.phppgadmin.erb": NO_MARKER,
}
OVERLOOKED_TEMPLATES = {
    "nginx/hestiacp__hestiacp/install/deb/nginx/phpmyadmin.inc": "%pma_alias% is replaced by the installer",
    "nginx/hestiacp__hestiacp/install/deb/nginx/phppgadmin.inc": "%pga_alias% is replaced by the installer",
    "nginx/mail-in-a-box__mailinabox/conf/nginx.conf": "$HOSTNAME, $SSL_KEY and others are replaced by the installer",
}
ENGINES = {
    "Jinja2": "Jinja2",
    "ERB": "ERB",
    "Puppet EPP": "Puppet EPP",
    "Go template": "Go template",
    "Perl Template Toolkit": "Template Toolkit",
    "percent-placeholders": "%name% placeholders",
    "envsubst/placeholder": "environment placeholders",
}


@pytest.mark.parametrize("server", ["nginx", "apache"])
def test_corpus_templates_are_recognised_and_nothing_else(server: str) -> None:
    wrong = []
    for file in corpus(server):
        expected = file.is_template or f"{server}/{file.name}" in OVERLOOKED_TEMPLATES
        if f"{server}/{file.name}" in UNMARKED_TEMPLATES:
            expected = False
        if (template_engine(file.source) is not None) != expected:
            wrong.append((file.name, template_engine(file.source)))
    assert not wrong


@pytest.mark.parametrize("server", ["nginx", "apache"])
def test_the_engine_has_its_right_name(server: str) -> None:
    wrong = []
    for file in corpus(server):
        engine = template_engine(file.source)
        noted = next((ENGINES[name] for name in ENGINES if f"template: {name}" in file.notes), None)
        if engine and noted and engine != noted:
            wrong.append((file.name, engine, noted))
    assert not wrong


TEMPLATES = [
    ("a.conf", "{% if tls %}\nlisten 443 ssl;\n{% endif %}\n", "Jinja2"),
    ("a.conf", "server_name {{ domain }};\n", "Jinja2"),
    ("a.conf", 'ssl_certificate "/etc/{{ domain | lower }}/full.pem";\n', "Jinja2"),
    ("a.conf.j2", "# {{ ansible_managed }}\nlisten 80;\n", "Jinja2"),
    ("a.conf", "{%- set port = pillar['port'] %}\nlisten {{ port }};\n", "Salt"),
    ("a.conf", "server_name {{ salt['grains.get']('fqdn') }};\n", "Salt"),
    ("a.conf", "listen {{ .Port }};\n", "Go template"),
    ("a.conf", "{{- range $host := .Hosts }}\nserver_name {{ $host }};\n{{ end }}\n", "Go template"),
    ("a.conf", 'listen {{ getenv "PORT" "80" }};\n', "Go template"),
    ("a.conf", "{{#sites}}server_name {{name}};{{/sites}}\n", "Mustache"),
    ("a.conf", "listen <%= @port %>;\n", "ERB"),
    ("a.conf", "<% if @tls -%>\nlisten 443;\n<% end -%>\n", "ERB"),
    ("a.conf", "<%- | Integer $port | -%>\nlisten <%= $port %>;\n", "Puppet EPP"),
    ("a.conf.epp", "listen <%= 80 %>;\n", "Puppet EPP"),
    ("a.conf", "% for name in names:\nserver_name ${name};\n% endfor\n", "Mako"),
    ("a.conf", '<%def name="x()">\nlisten 80;\n</%def>\n', "Mako"),
    ("a.conf", "ServerName [% domain %]\n", "Template Toolkit"),
    ("a.conf", "[% IF tls -%]\nSSLEngine on\n[% END %]\n", "Template Toolkit"),
    ("a.conf", "Listen @@Port@@\n", "@@NAME@@ placeholders"),
    ("a.conf", 'ServerRoot "@prefix@/etc"\n', "autoconf"),
    ("a.conf", "listen __PORT__;\n", "__NAME__ placeholders"),
    ("a.conf", "server_name __MAIN_DOMAIN__;\n", "__NAME__ placeholders"),
    ("a.conf", "listen %ip%:%web_port% ssl;\n", "%name% placeholders"),
    ("a.tpl", "listen %ip%:443;\n", "%name% placeholders"),
    ("a.tpl", "server_name %domain_idn%;\n", "%name% placeholders"),
    ("a.conf", "listen %%PORT%%;\n", "%%NAME%% placeholders"),
    ("default.conf.template", "proxy_pass http://${BACKEND};\n", "environment placeholders"),
    ("default.conf.template", "proxy_pass http://$BACKEND_HOST;\n", "environment placeholders"),
    ("a.conf", "listen ${PORT};\n", "environment placeholders"),
    ("a.conf", "server { listen $PORT; }\n", "environment placeholders"),
    ("a.conf", "ssl_ciphers ${SSL_CIPHERS};\n", "environment placeholders"),
    ("a.conf.template", "<VirtualHost *:443>\nServerName ${domain}\n</VirtualHost>\n", "environment placeholders"),
]

PLAIN = [
    ("a.conf", ""),
    ("a.conf", "proxy_pass http://${host}$request_uri;\n"),
    ("a.conf", "proxy_set_header Host $host;\n"),
    ("default.conf.template", "proxy_set_header Host ${host};\n"),
    ("a.conf", "set $Name 1; if ($HTTP_HOST) { return 301 https://$HOST; }\n"),
    ("a.conf", "# use {{ port }}, <%= port %>, %port% %port%, @@PORT@@ or __PORT__\nlisten 80;\n"),
    ("a.conf", "    # {% if x %}\nlisten 80;\n"),
    ("a.conf", "return 200 '{{ message }}';\n"),
    ("a.conf", "    sub_filter '{{ .title }}' 'x';\n"),
    ("a.conf", 'log_format j \'{"a": {"b": "$host"}}\';\n'),
    ("a.conf", "location ~ ^/[%0-9a-z]+$ { }\n"),
    ("a.conf", "location ~ \\.{2}{{ }\n"),
    ("a.conf", "try_files $uri @fallback;\nlocation @fallback { }\nlocation @other { }\n"),
    ("a.conf", "rewrite ^ /a%20b%C3%A9tat%20c;\n"),
    ("a.conf", "rewrite ^ /%e4%bd%a0%e5%a5%bd;\n"),
    ("a.conf", 'add_header Set-Cookie "__Host-a=b; __Secure-c=d";\n'),
    ("a.conf", 'content_by_lua_block { setmetatable(t, { __index = u }) }\n'),
    ("a.conf", 'LogFormat "%h %l %u %t \\"%r\\" %>s %b %{SSL_PROTOCOL}x" ssl\n'),
    ("a.conf", 'LogFormat "%Ts%Dus%b" x\nCustomLog a "%Ts%Dus%b"\n'),
    ("a.conf", 'LogFormat "<%h>%l%u%>s" x\n'),
    ("a.conf", "ServerAdmin root@example.test\nRewriteRule ^(.*)@(.*)@ /x\n"),
    ("a.conf", "ServerName ${DOMAIN}\nSSLCertificateFile ${CERTIFICATES}/a.pem\n"),
    ("a.conf", "RewriteCond %{HTTP_HOST} ^a$\nRewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI}\n"),
    ("a.conf", "listen 80;\n"),
    ("a.conf.j2", "listen 80;\n"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "engine"), TEMPLATES)
def test_template(path: str, text: str, engine: str) -> None:
    assert template_engine(Source.from_text(path, text)) == engine


@pytest.mark.parametrize(("path", "text"), PLAIN)
def test_plain_configuration(path: str, text: str) -> None:
    assert template_engine(Source.from_text(path, text)) is None
