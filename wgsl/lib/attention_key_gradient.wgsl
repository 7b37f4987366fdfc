// What the kernels that compute attention's gradients for keys and values share beside lib/attention_tile: bindings, the
// tile of key rows that a workgroup owns, and which queries see a key. Shapes in units of L: qkv and dqkv
// [T, qkv_stride], dy [T, y_stride]; in floats: lse and delta [T, lse_stride].
@group(0) @binding(0) var<storage, read> qkv: array<L>;
// Per tile: first row, rows, first range of queries, the range after the last.
@group(0) @binding(1) var<storage, read> tiles: array<vec4<u32>>;
// Runs of query rows: first row, the row after the last, 0, 0. A segment's own rows, then those of each child.
@group(0) @binding(2) var<storage, read> ranges: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> dy: array<L>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> dqkv: array<L>;
@group(0) @binding(7) var<uniform> params: Params;

// Consecutive rows of one segment and one key/value head, offsets in L. Workgroup-uniform.
struct KeyTile {
  row: u32,
  count: u32,
  first_range: u32,
  end_range: u32,
  // First query head of the key/value head.
  head: u32,
  key: u32,
  value: u32,
}

// Key/value heads of the layer.
fn kv_heads() -> u32 {
  return params.heads / params.group;
}

fn key_tile_of(index: u32) -> KeyTile {
  let kv = index % kv_heads();
  let a = tiles[index / kv_heads()];
  return KeyTile(a.x, a.y, a.z, a.w, kv * params.group, params.keys + kv * params.lanes, params.values + kv * params.lanes);
}

// Which of the query rows r .. r + 3, of a range that ends before row `end`, see the key in row `key`. In the key's own
// segment, later rows see it; children's rows all lie behind it.
fn seen_by(key: u32, r: u32, end: u32) -> vec4<bool> {
  let rows = vec4<u32>(r) + vec4<u32>(0u, 1u, 2u, 3u);
  return (rows >= vec4<u32>(key)) & (rows < vec4<u32>(end));
}

// Zeros in the padding columns of a row, which lie behind the last head.
fn pad_row(tile: KeyTile, row: u32) {
  if (tile.head + params.group < params.heads) { return; }
  for (var c = params.values + kv_heads() * params.lanes; c < params.qkv_stride; c++) {
    dqkv[row * params.qkv_stride + c] = L(0.0);
  }
}
