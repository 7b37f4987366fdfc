// The path of one row of a tile, for kernels in which each invocation loads its own keys: those in a parent are the same for
// all its children in the tile. Completed by lib/attention_path.

fn path_of(tile: Tile, row: u32) -> Path {
  var segment = segments[tile.first_segment];
  for (var n = tile.first_segment + 1u; n < tile.end_segment; n++) {
    if (row >= segments[n].z) { segment = segments[n]; }
  }
  return path_to(segment, row);
}
