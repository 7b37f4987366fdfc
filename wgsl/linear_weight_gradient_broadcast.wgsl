// The weight's gradient of a linear layer for devices with subgroups: formula, shapes, order of accumulation in
// lib/linear_weight_gradient, with the same bits as other variants where all values are finite. Lanes span vec4s of
// columns, and share 4 rows of dy for OUTS outputs, so that a load is used OUTS times: the first 4 members of a subgroup
// hold the rows of the first half of the outputs, the next 4 those of the second half, and lib/member hands them round.
// Needs a subgroup size of at least 8. Rows past a chunk's end count as zeros of dy.
enable subgroups;
//#header member
//#include grid
//#include linear_weight_gradient
//#include products

override WG: u32 = 64;
// 8, 16 or 32: what a load is worth against registers, and no more than there are. On CPUs a load costs as much as several
// multiplications.
override OUTS: u32 = 8;

// 4 outputs.
alias Sums = array<vec4<f32>, 4>;

// sums + the products of 4 rows: r0 .. r3 hold dy of the same 4 outputs, v's columns are rows of x.
fn add_rows(sums: Sums, r0: vec4<f32>, r1: vec4<f32>, r2: vec4<f32>, r3: vec4<f32>, v: mat4x4<f32>) -> Sums {
  let g = transpose(mat4x4<f32>(r0, r1, r2, r3));
  return Sums(add_products(sums[0], g[0], v), add_products(sums[1], g[1], v), add_products(sums[2], g[2], v), add_products(sums[3], g[3], v));
}

fn plus(a: Sums, b: Sums) -> Sums {
  return Sums(a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]);
}

// Where a row of x begins. Rows past the chunk's end repeat its last one; dy is zero there.
fn row_of(r: u32, end: u32) -> u32 {
  return min(r, end - 1u) * params.stride4;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  // Whole workgroups share OUTS outputs, so that every lane of a subgroup takes part in every broadcast.
  let columns = (params.stride4 + WG - 1u) / WG;
  let index = workgroup_index(workgroup, grid);
  let out = OUTS * (index / columns);
  if (out >= params.outs) { return; }
  let own = (index % columns) * WG + lane;
  let c = min(own, params.stride4 - 1u);
  // Vec4s of outputs that a member holds, and the first of them.
  let held = OUTS / 8u;
  let mine = params.first4 + out / 4u + held * ((subgroup_lane / 4u) & 1u);
  // Where a row has no more outputs, its last ones again; what they give is not stored.
  let columns_of_dy = min(vec4<u32>(mine) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.dy_stride4 - 1u));
  var t0 = Sums();
  var t1 = Sums();
  var t2 = Sums();
  var t3 = Sums();
  var t4 = Sums();
  var t5 = Sums();
  var t6 = Sums();
  var t7 = Sums();
  for (var begin = 0u; begin < params.rows; begin += params.chunk) {
    let end = min(begin + params.chunk, params.rows);
    var s0 = Sums();
    var s1 = Sums();
    var s2 = Sums();
    var s3 = Sums();
    var s4 = Sums();
    var s5 = Sums();
    var s6 = Sums();
    var s7 = Sums();
    for (var r = begin; r < end; r += 4u) {
      let at = r + (subgroup_lane & 3u);
      let row = min(at, end - 1u) * params.dy_stride4;
      let there = vec4<bool>(at < end);
      let v = mat4x4<f32>(x[row_of(r, end) + c], x[row_of(r + 1u, end) + c], x[row_of(r + 2u, end) + c], x[row_of(r + 3u, end) + c]);
      let a0 = select(vec4<f32>(0.0), dy[row + columns_of_dy.x], there);
      var a1 = a0;
      var a2 = a0;
      var a3 = a0;
      if (OUTS > 8u) { a1 = select(vec4<f32>(0.0), dy[row + columns_of_dy.y], there); }
      if (OUTS > 16u) {
        a2 = select(vec4<f32>(0.0), dy[row + columns_of_dy.z], there);
        a3 = select(vec4<f32>(0.0), dy[row + columns_of_dy.w], there);
      }
      s0 = add_rows(s0, member0(a0), member1(a0), member2(a0), member3(a0), v);
      s4 = add_rows(s4, member4(a0), member5(a0), member6(a0), member7(a0), v);
      if (OUTS > 8u) {
        s1 = add_rows(s1, member0(a1), member1(a1), member2(a1), member3(a1), v);
        s5 = add_rows(s5, member4(a1), member5(a1), member6(a1), member7(a1), v);
      }
      if (OUTS > 16u) {
        s2 = add_rows(s2, member0(a2), member1(a2), member2(a2), member3(a2), v);
        s6 = add_rows(s6, member4(a2), member5(a2), member6(a2), member7(a2), v);
        s3 = add_rows(s3, member0(a3), member1(a3), member2(a3), member3(a3), v);
        s7 = add_rows(s7, member4(a3), member5(a3), member6(a3), member7(a3), v);
      }
    }
    t0 = plus(t0, s0);
    t4 = plus(t4, s4);
    if (OUTS > 8u) {
      t1 = plus(t1, s1);
      t5 = plus(t5, s5);
    }
    if (OUTS > 16u) {
      t2 = plus(t2, s2);
      t6 = plus(t6, s6);
      t3 = plus(t3, s3);
      t7 = plus(t7, s7);
    }
  }
  if (own >= params.stride4) { return; }
  // A loop over the outputs that there are: drivers don't unroll it, which would make this kernel slow to build. Each half
  // of the outputs has four places.
  var sums = array<Sums, 8>(t0, t1, t2, t3, t4, t5, t6, t7);
  let end = min(out + OUTS, params.outs);
  for (var n = out; n < end; n++) {
    let place = (n - out) / 4u;
    finish(n, c, sums[4u * (place / held) + place % held][n % 4u]);
  }
}
