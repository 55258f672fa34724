use super::*;

fn walk(count: usize, step: f64, offset: f64) -> Vec<[i32; 3]> {
    let at = |atom: usize, axis: usize| {
        (atom as f64 * step + ((atom * 7 + axis * 3) as f64).sin() * 180.0 + offset) as i32
    };
    (0..count)
        .map(|atom| [at(atom, 0), -at(atom, 1), at(atom, 2) / 3])
        .collect()
}

#[test]
fn what_is_packed_unpacks_exactly() {
    // 2⁹ in one range needs differences, 2²⁵ the layout of three numbers apart
    for (count, step, offset) in [
        (1, 1.0, 0.0),
        (10, 0.0, 0.0),
        (11, 3.0, -50.0),
        (300, 11.0, 1e4),
        (301, 120.0, -1e6),
        (500, 9e4, 0.0),
    ] {
        let points = walk(count, step, offset);
        let (bounds, bytes) = encode(&points);
        assert!(bounds.possible());
        assert_eq!(
            decode(&bytes, &bounds, count).as_deref(),
            Some(&points[..]),
            "{count} {step}"
        );
        assert_eq!(decode(&bytes[..bytes.len() / 2], &bounds, count), None);
    }
}

#[test]
fn small_differences_take_fewer_bytes_than_whole_coordinates() {
    let points = walk(300, 11.0, 0.0);
    let (bounds, bytes) = encode(&points);
    let Layout::Packed(_, length) = bounds.layout() else {
        panic!("a small range")
    };
    let whole = 300 * (length as usize + 1) / 8;
    assert!(bytes.len() * 10 <= whole * 9, "{} of {whole}", bytes.len());
}
