// How a subgroup that shares its keys walks over the paths of a tile's segments: tiles of keys that lie wholly inside the
// parent come once, in the first segment's walk and for all rows; the other segments' walks begin where those end. So
// each row takes the same tiles of keys in the same order as alone. Completed by lib/attention_path.

// The walk over one segment's path. Workgroup-uniform.
struct Walk {
  // As far as the last of the segment's rows in the tile.
  path: Path,
  // The segment's rows: those of the tile from `start` on and before `end`.
  start: u32,
  end: u32,
  // The first path position.
  first: u32,
  // Path positions in the tiles of keys that all rows walk together.
  joint: u32,
}

fn walk_of(tile: Tile, n: u32, tile_keys: u32) -> Walk {
  let segment = segments[n];
  let end = min(tile.row + tile.count, segment.z + segment.w);
  let joint = segment.y - segment.y % tile_keys;
  return Walk(path_to(segment, end - 1u), segment.z, end, select(joint, 0u, n == tile.first_segment), joint);
}

// How many path positions `row` sees in a walk: all up to itself, or the joint ones where it is another segment's.
fn seen_in(walk: Walk, row: u32) -> u32 {
  return select(walk.joint, row + 1u - walk.path.own, row >= walk.start && row < walk.end);
}
