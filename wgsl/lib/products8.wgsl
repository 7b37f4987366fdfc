// add_products for 8 rows whose `a` the first 8 members of a subgroup hold (lib/member). All members take part.
fn add_products8(sums: ptr<function, array<vec4<f32>, 8>>, a: vec4<f32>, b: mat4x4<f32>) {
  (*sums)[0] = add_products((*sums)[0], member0(a), b);
  (*sums)[1] = add_products((*sums)[1], member1(a), b);
  (*sums)[2] = add_products((*sums)[2], member2(a), b);
  (*sums)[3] = add_products((*sums)[3], member3(a), b);
  (*sums)[4] = add_products((*sums)[4], member4(a), b);
  (*sums)[5] = add_products((*sums)[5], member5(a), b);
  (*sums)[6] = add_products((*sums)[6], member6(a), b);
  (*sums)[7] = add_products((*sums)[7], member7(a), b);
}
