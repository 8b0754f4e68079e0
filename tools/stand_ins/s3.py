"""rclone's S3 server, with the accounts that compose.yaml writes for SeaweedFS."""

import json
import os
from pathlib import Path

accounts = json.loads(Path("/etc/s3/identities.json").read_text())["identities"]
keys = [account["credentials"][0] for account in accounts]
pairs = [f'"{key["accessKey"]},{key["secretKey"]}"' for key in keys]
os.environ["RCLONE_AUTH_KEY"] = ",".join(pairs)
command = "rclone serve s3 --config /dev/null --cache-dir /tmp --addr 0.0.0.0:9000 /data"
os.execvp("rclone", command.split())  # noqa: S606, S607 - the server takes this process's place
