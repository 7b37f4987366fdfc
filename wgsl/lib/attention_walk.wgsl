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

// How many path positions each of the rows sees in a walk: all up to itself, or the joint ones where it is another
// segment's.
fn seen_in(walk: Walk, rows: vec4<u32>) -> vec4<u32> {
  let own = (rows >= vec4<u32>(walk.start)) & (rows < vec4<u32>(walk.end));
  return select(vec4<u32>(walk.joint), rows + 1u - walk.path.own, own);
}

// The first path position of a tile's row that is spoilt, or none: a member's rows are at `position` and 8, 16, 24 after it.
fn first_spoilt(position: u32, rows: vec4<bool>) -> u32 {
  let at = select(vec4<u32>(0xffffffffu), vec4<u32>(position) + vec4<u32>(0u, 8u, 16u, 24u), rows);
  return subgroupMin(min(min(at.x, at.y), min(at.z, at.w)));
}
