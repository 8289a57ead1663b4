"""The states of multipath paths, from multipathd."""

from ctypes import c_void_p
from typing import Iterable, Tuple

from . import _read, _write
from ._library import function, question
from ._types import BlockInfo, Topology

_complete = question("peripety_multipathd_complete", c_void_p)
_list_free = function("peripety_list_free", None, c_void_p)


class Multipathd:
    """multipathd of the running machine; only multipathd knows whether device-mapper uses a path of a multipath map.

    It is asked for at most 100 ms, and only when there is a map. Where systemd starts it on demand, a question starts
    it. Nothing else of this module speaks to a daemon.
    """

    def complete(self, blocks: Iterable[BlockInfo]) -> Tuple[BlockInfo, ...]:
        """The blocks with `Path.dm_state` for the paths of all multipath maps: ``unknown`` if multipathd does not report it."""
        completed = _write.with_list(blocks, _complete)
        return _write.with_handle(completed, _read.blocks, _list_free)

    def complete_topology(self, topology: Topology) -> Topology:
        """The same for a device and all that is below and above it."""
        all_blocks = [topology.block, *topology.all_below(), *topology.all_above()]
        completed = {block.kdev: block for block in self.complete(all_blocks)}

        def whole(part: Topology) -> Topology:
            below, above = tuple(map(whole, part.below)), tuple(map(whole, part.above))
            return Topology(completed[part.block.kdev], below, above)

        return whole(topology)
