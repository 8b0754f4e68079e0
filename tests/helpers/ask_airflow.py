"""What Airflow makes of a folder of DAGs; runs in Airflow's own environment, not in ours.

python ask_airflow.py <folder of DAGs> <file for the answer> [<DAG> <task to execute>]
"""

import json
import sys
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag


def describe(dag: Any) -> dict[str, Any]:
    return {
        "schedule": dag.schedule,
        "starts": dag.start_date.date().isoformat(),
        "is_catching_up": dag.catchup,
        "runs_at_once": dag.max_active_runs,
        "followers": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
        "commands": {task.task_id: task.bash_command for task in dag.tasks},
        "retries": sorted({task.retries for task in dag.tasks}),
        "retry_delays_s": sorted({task.retry_delay.total_seconds() for task in dag.tasks}),
        "timeouts_s": sorted({task.execution_timeout.total_seconds() for task in dag.tasks}),
    }


def main() -> None:
    folder, answer, *task = sys.argv[1:]
    bag = DagBag(dag_folder=folder)
    dags = {name: describe(dag) for name, dag in bag.dags.items()}
    Path(answer).write_text(json.dumps({"errors": bag.import_errors, "dags": dags}))
    if task:
        bag.dags[task[0]].get_task(task[1]).execute({})


if __name__ == "__main__":
    main()
