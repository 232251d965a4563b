"""Half of what schemathesis makes up gets an address that exists; every answer is noted."""

import json
import os

import schemathesis
from school import ADMIN, School

school = School(os.environ["HUB_URL"], os.environ["HUB_CA"], os.environ["HUB_TOKEN"])
notes = open(os.environ["HUB_NOTES"], "a", buffering=1)
tokens = json.loads(os.environ["HUB_TOKENS"])
own = school.send("GET", "/api/auth/me").json().get("id")
count = 0


@schemathesis.auth(refresh_interval=None)
class Bearer:
    def get(self, case, context):
        return tokens[0]

    def set(self, case, token, context):
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def before_call(context, case, kwargs):
    global count
    count += 1
    # Schemathesis asks again for what answers named; whoever asks must not close their own account.
    ours = {own, ADMIN}.intersection(map(str, (case.path_parameters or {}).values()))
    if case.path_parameters and (ours or count % 2 == 0):
        for name, value in school.named(case.path).items():
            case.path_parameters[name] = value


@schemathesis.hook
def after_call(context, case, response):
    note = [case.method.upper(), case.path, response.status_code]
    notes.write(json.dumps(note) + "\n")
    if response.status_code < 300 and len(tokens) > 1:
        tokens.pop(0)  # it ended, or signs in otherwise now
