"""looper's configuration of pipestat, made as looper makes it (docs/looper.md).

looper merges the `pipestat` section of its configuration with each pipeline interface into
`{output_dir}/pipestat_config_{pipeline_name}.yaml`, which its pipelines then open. Nothing of
looper is imported.
"""

from pipestat_spec.engines.looper.merging import LooperConfig, merge_section
from pipestat_spec.engines.looper.project import LOOPER_FILE, choose_config, joined, looper_configs
from pipestat_spec.engines.looper.refreshing import Written, write_config

__all__ = [
    "LOOPER_FILE",
    "LooperConfig",
    "Written",
    "choose_config",
    "joined",
    "looper_configs",
    "merge_section",
    "write_config",
]
