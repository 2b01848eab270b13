"""What a person sees when the demo is ready: who is there, and commands that work as printed."""

from pathlib import Path

import msgspec

from vedette.server.demo.provision import DemoDocument

_CURL = """\
Copy and paste (curl):

  URL={url} TENANT={tenant} CLIENT={client}
  SECRET=$(python3 -c 'import json,sys; print(json.load(sys.stdin)["apps"][0]["client_secret"])' < "{demo}")
  TOKEN=$(curl -s {trust} $URL/$TENANT/oauth2/v2.0/token \\
    -d grant_type=client_credentials -d client_id=$CLIENT --data-urlencode "client_secret=$SECRET" \\
    -d scope=https://api.security.microsoft.com/.default |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])')
  curl -s {trust} -H "Authorization: Bearer $TOKEN" $URL/api/incidents
"""

_PYTHON = """\
Copy and paste (Python):

python3 - <<'EOF'
import json, ssl, urllib.parse, urllib.request
demo = json.load(open("{demo}"))
app, url, tls = demo["apps"][0], demo["base_url"], {context}
def ask(path, body, **headers):
    request = urllib.request.Request(url + path, body, headers)
    return json.load(urllib.request.urlopen(request, context=tls))
form = dict(grant_type="client_credentials", client_id=app["client_id"], client_secret=app["client_secret"],
            resource="https://api.security.microsoft.com")
token = ask("/" + app["tenant_id"] + "/oauth2/token", urllib.parse.urlencode(form).encode())["access_token"]
query = 'DeviceProcessEvents | where ProcessCommandLine has "sekurlsa" | project Timestamp, DeviceName, FileName'
answer = ask("/api/advancedhunting/run", json.dumps({{"Query": query}}).encode(),
             **{{"Authorization": "Bearer " + token, "Content-Type": "application/json"}})
print(json.dumps(answer["Results"], indent=2))
EOF
"""


def welcome(demo_file: Path) -> str:
    """The text for standard error. No secret is in it: the commands read them from `demo.json`."""
    demo = msgspec.json.decode(demo_file.read_bytes(), type=DemoDocument)
    app = demo.apps[0]
    lines = ["", "The demo is ready. Credentials are in " + str(demo_file), ""]
    lines += [f"  tenant   {tenant.domain:<22} {tenant.tenant_id}  {tenant.name}" for tenant in demo.tenants]
    lines += [
        f"  app      {application.kind:<22} {application.client_id}  {application.name}" for application in demo.apps
    ]
    lines += [f"  user     {user.upn:<22}   {', '.join(user.roles)}" for user in demo.users]
    values = {
        "demo": str(demo_file),
        "trust": f'--cacert "{demo.ca_file}"' if demo.ca_file else "",
        "url": demo.base_url,
        "tenant": app.tenant_id,
        "client": app.client_id,
        "context": f'ssl.create_default_context(cafile="{demo.ca_file}")' if demo.ca_file else "None",
    }
    return "\n".join(lines) + "\n\n" + _CURL.format(**values) + "\n" + _PYTHON.format(**values)
