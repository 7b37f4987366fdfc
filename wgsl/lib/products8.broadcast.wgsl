// add_products for 8 rows whose `a` the first 8 members of a subgroup hold: a broadcast from a constant member hands each
// to all. All members take part.
fn add_products8(sums: ptr<function, array<vec4<f32>, 8>>, a: vec4<f32>, b: mat4x4<f32>) {
  (*sums)[0] = add_products((*sums)[0], subgroupBroadcast(a, 0u), b);
  (*sums)[1] = add_products((*sums)[1], subgroupBroadcast(a, 1u), b);
  (*sums)[2] = add_products((*sums)[2], subgroupBroadcast(a, 2u), b);
  (*sums)[3] = add_products((*sums)[3], subgroupBroadcast(a, 3u), b);
  (*sums)[4] = add_products((*sums)[4], subgroupBroadcast(a, 4u), b);
  (*sums)[5] = add_products((*sums)[5], subgroupBroadcast(a, 5u), b);
  (*sums)[6] = add_products((*sums)[6], subgroupBroadcast(a, 6u), b);
  (*sums)[7] = add_products((*sums)[7], subgroupBroadcast(a, 7u), b);
}
