# Parses metrics of a format, from standard input. Prints JSON: by name, the type
# and the samples of each metric.
import json
import sys

from prometheus_client import openmetrics, parser
import prometheus_client.openmetrics.parser

parse = {
    "prometheus": parser.text_string_to_metric_families,
    "openmetrics": openmetrics.parser.text_string_to_metric_families,
}[sys.argv[1]]
print(json.dumps({
    metric.name: [metric.type, [
        [sample.name.removeprefix(metric.name), sample.labels, sample.value]
        for sample in metric.samples
    ]]
    for metric in parse(sys.stdin.read())
}))
