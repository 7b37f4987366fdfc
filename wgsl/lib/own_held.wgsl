// Own rows kept at hand in workgroup memory, which a CPU adapter reads and writes with less ado than storage. Each invocation
// uses its own part alone, so that nothing waits. All is 0 at first. Completed by lib/attention_blocks.

// How many of a kernel's parts (the sums, then rows that are only read) are held. The others are in storage: read each
// time, and written to it. No result depends on it.
override PARTS: u32 = 0;
// Columns of a head that there is room for.
override COLUMNS: u32 = 0;
override held_room: u32 = max(1u, PARTS * COLUMNS * WG);
var<workgroup> held_rows: array<R, held_room>;

fn held_at(part: u32, lane: u32, d: u32) -> u32 {
  return (part * COLUMNS + WIDTH * d) * WG + lane;
}

fn held(part: u32, lane: u32, d: u32) -> Own {
  let at = held_at(part, lane, d);
  var own = Own();
  own[0] = held_rows[at];
  own[1] = held_rows[at + WG];
  if (WIDTH > 2u) {
    own[WIDTH - 2u] = held_rows[at + 2u * WG];
    own[WIDTH - 1u] = held_rows[at + 3u * WG];
  }
  return own;
}

fn hold(part: u32, lane: u32, d: u32, own: Own) {
  let at = held_at(part, lane, d);
  held_rows[at] = own[0];
  held_rows[at + WG] = own[1];
  if (WIDTH > 2u) {
    held_rows[at + 2u * WG] = own[WIDTH - 2u];
    held_rows[at + 3u * WG] = own[WIDTH - 1u];
  }
}
