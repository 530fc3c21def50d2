"""Reading is httpd's own: what is in force after it, and what httpd says of what it cannot read."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from parse.apache_oracle import Httpd
from resolve.apache_dump import asked, predicted, without_prelude, write

TREES: dict[str, Mapping[str, str]] = {
    "macro-opens-a-section": {
        "main.conf": """
<Macro m $a>
<VirtualHost *:$a>
  <Location "/a b>
   ServerSignature on
  </Location>
ServerAlias a "b c" 'd'
</Macro>
Use m 1
  ServerAlias x\\
     y
</VirtualHost>
"""
    },
    "conditions": {
        "main.conf": """
Define X
Define V one
<IfDefine X>
ServerAdmin ${v}
<IfDefine !X>
ServerAdmin wrong
<VirtualHost *:1>
</VirtualHost>
</IfDefine>
</IfDefine>
<IfModule alias_module>
Redirect / http://x/
</IfModule>
<IfModule !mod_ssl.c>
<IfVersion >= 2.4>
<VirtualHost *:80>
ServerAlias "${V}" $V \\${V} ${V}${V}x "a b ${V}"
Include inc/a.conf
</VirtualHost>
</IfVersion>
</IfModule>
IncludeOptional inc/nothing.conf
Include inc
""",
        "inc/a.conf": "ServerSignature on\n<IfModule core.c>\nServerSignature email\n",
        "inc/.hidden": "ServerSignature off\n",
    },
}


@pytest.mark.parametrize("name", TREES)
def test_what_is_in_force_is_what_httpd_has(httpd: Httpd, tmp_path: Path, name: str) -> None:
    main = write(tmp_path, httpd, TREES[name])
    truth = asked(httpd, main)
    assert not isinstance(truth, str), truth
    lines, reading = predicted(main)
    assert without_prelude(lines) == without_prelude(truth)
    assert reading.problems == []
