// ln of a normal positive number: that of WGSL may be off by 5e-7.
fn ln(x: f32) -> f32 {
    let two_thirds = 0x3f2aaaabu;
    let shifted = bitcast<i32>(bitcast<u32>(x) - two_thirds);
    let n = f32(shifted >> 23u);
    let t = bitcast<f32>(u32(shifted & 0x007fffff) + two_thirds) - 1.0;
    var p = -0.124222006;
    p = p * t + 0.137483091;
    p = p * t - 0.122887216;
    p = p * t + 0.140558127;
    p = p * t - 0.166733163;
    p = p * t + 0.20007234;
    p = p * t - 0.249999442;
    p = p * t + 0.333332726;
    p = p * t - 0.5;
    return n * 0.6931471805599453 + (p * t * t + t);
}
