// The power of two that brings the largest magnitude of a gradient, whose 64 partial maxima `extra` holds as bits, to 2^14
// .. 2^15; 1 where that magnitude is 0 or not finite, and where nothing is to be scaled. It is a power of two, so that it
// changes no bit of what f16 can hold.
fn gradient_scale() -> f32 {
  var largest = 0u;
  for (var i = 0u; i < 16u * params.scaled; i++) {
    let part = extra[i];
    largest = max(largest, max(max(part.x, part.y), max(part.z, part.w)));
  }
  let exponent = clamp(largest >> 23u, 15u, 254u);
  return select(bitcast<f32>((268u - exponent) << 23u), 1.0, largest == 0u || largest >= 0x7f800000u);
}
