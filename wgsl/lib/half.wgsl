// Bits of the nearest f16, ties to even; Inf past the largest, NaN for NaN. In integers: pack2x16float may round to zero.
fn half_bits(x: vec4<f32>) -> vec4<u32> {
  let bits = bitcast<vec4<u32>>(x);
  let magnitude = bits & vec4<u32>(0x7fffffffu);
  // From 2^-14 on: 13 bits of the fraction go, and the exponent is counted from -15.
  let normal = (magnitude + vec4<u32>(0xfffu) + ((magnitude >> vec4<u32>(13u)) & vec4<u32>(1u)) - vec4<u32>(0x38000000u)) >> vec4<u32>(13u);
  // Below it: multiples of 2^-24.
  let fraction = (magnitude & vec4<u32>(0x7fffffu)) | vec4<u32>(0x800000u);
  let shift = clamp(vec4<u32>(126u) - min(magnitude >> vec4<u32>(23u), vec4<u32>(112u)), vec4<u32>(14u), vec4<u32>(26u));
  let one = vec4<u32>(1u);
  let small = (fraction + (one << (shift - one)) - one + ((fraction >> shift) & one)) >> shift;
  let finite = select(normal, small, magnitude < vec4<u32>(0x38800000u));
  let near = select(min(finite, vec4<u32>(0x7c00u)), vec4<u32>(0x7e00u), magnitude > vec4<u32>(0x7f800000u));
  return near | ((bits >> vec4<u32>(16u)) & vec4<u32>(0x8000u));
}

// Four values as f16, two to a u32.
fn pack_halves(x: vec4<f32>) -> vec2<u32> {
  let bits = half_bits(x);
  return bits.xz | (bits.yw << vec2<u32>(16u));
}

// Four values rounded to f16.
fn near_half(x: vec4<f32>) -> vec4<f32> {
  let packed = pack_halves(x);
  return vec4<f32>(unpack2x16float(packed.x), unpack2x16float(packed.y));
}
