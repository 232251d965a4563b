"""A real door: joined, connected, and started again when it ends, as its supervisor would."""

import os
import subprocess
import threading
import time

from school import PORTRAITS, ROOT

EDGE = os.environ.get("ROLLCALL_EDGE") or str(ROOT / "target/debug/rollcall-edge")
NAME = "hall"


class Door:
    """The door `hall` of a school; its camera shows one picture, and it hears commands."""

    def __init__(self, folder, school, models):
        self.school, self.ended, self.process = school, threading.Event(), None
        config, data = folder / "edge.toml", folder / "edge"
        stream = f"while cat '{PORTRAITS / 'biden.jpg'}'; do sleep 0.5; done"
        config.write_text(
            f'data = "{data}"\nmodels = "{models}"\n[camera]\nkind = "command"\n'
            f'command = ["sh", "-c", "{stream}"]\n'
        )
        self.edge, self.log = [EDGE, "--config", str(config)], open(folder / "edge.log", "wb")
        school.made("/api/devices", "device_id", json={"device_id": NAME})
        token = school.made(f"/api/devices/{NAME}/join-token", "join_token")
        said = {"stdout": self.log, "stderr": self.log}
        subprocess.run([*self.edge, "join", school.url, token], check=True, **said)
        self.keeper = threading.Thread(target=self.keep)
        self.keeper.start()

    def keep(self):
        while not self.ended.is_set():
            run = [*self.edge, "run"]
            self.process = subprocess.Popen(run, stdout=self.log, stderr=self.log)
            self.process.wait()
            self.ended.wait(0.5)

    def connected(self):
        """Waits until the hub can reach it."""
        for _ in range(300):
            if self.school.send("GET", f"/api/devices/{NAME}").json()["online"]:
                return
            time.sleep(0.1)
        raise AssertionError("the door did not connect")

    def shown(self, what="snap"):
        """Asks for a picture or the log, and waits until the hub has it. Asks again, because a door that was
        just given other settings starts again and forgets what it was asked."""
        for _ in range(12):
            self.connected()
            self.school.send("POST", f"/api/devices/{NAME}/commands", json={"command": what})
            for _ in range(10):
                if self.school.send("GET", f"/api/devices/{NAME}/{what}").ok:
                    return
                time.sleep(0.5)
        raise AssertionError(f"the door showed no {what}")

    def close(self):
        self.ended.set()
        while self.keeper.is_alive():
            if self.process:
                self.process.terminate()
            self.keeper.join(1)
