"""Metrics of one process and of several."""

import os
import subprocess
import sys
from pathlib import Path

from vedette.observability import metrics


def test_counters_appear_in_the_text_format() -> None:
    metrics.HTTP_REQUESTS.labels("graph", "listIncidents", "200").inc()
    text = metrics.exposition().decode()
    assert 'vedette_http_requests_total{operation="listIncidents",status="200",surface="graph"} 1.0' in text


def test_a_bounded_label_counts_the_rest_together() -> None:
    label = metrics.BoundedLabel(2)
    assert [label.of(value) for value in ("a", "b", "c", "a", "d", "b")] == ["a", "b", "other", "a", "other", "b"]


def test_several_processes_are_added_up(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from vedette.observability import metrics; metrics.EVENTS_ACCEPTED.inc(3)\n"
        "assert metrics.shared(); print(metrics.exposition().decode())"
    )
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for expected in ("3.0", "6.0"):
        run = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert f"vedette_ingest_events_total {expected}" in run.stdout
