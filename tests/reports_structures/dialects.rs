//! Files in the dialects of other programs, and words that fit what was found in them.

use super::siblings::{changed, checked, heavy, moved, name, number};
use super::{case, position};

#[test]
fn pqr_files_are_read() {
    let plain = changed(|line| vec![line.into()]);
    let truth = case(plain.path(), &[], 0, &[], None);
    let columns = changed(|line| vec![format!("{} 0.0000 1.8240", &line[..54])]);
    case(columns.path(), &[], 0, &["PQR file"], Some(truth));
    checked(&columns, &[], 0, &[], &["occupancy"]);
    let words = changed(|line| {
        let [x, y, z] = position(line);
        let name = name(line);
        let residue = &line[17..20];
        vec![format!(
            "ATOM 1 {name} {residue} A {} {x} {y} {z} -0.1234 1.5",
            number(line)
        )]
    });
    case(words.path(), &[], 0, &["PQR file"], Some(truth));
}

#[test]
fn words_fit_what_was_found() {
    let modified = heavy(|line| {
        let is_oxygen = number(line) == 13 && name(line) == "OG";
        let more = format!("{} P  {}", &line[..12], &line[16..]);
        let mut lines = vec![line.to_owned()];
        lines.extend(is_oxygen.then(|| moved(&more, [1.0, 1.0, 0.8])));
        lines
    });
    checked(
        &modified,
        &[],
        0,
        &["A:SER 13: left out: P, which no template of it knows"],
        &[],
    );
    // a modified residue's name of four letters is no chain of two
    let long = heavy(|line| {
        let is_serine = number(line) == 13;
        vec![if is_serine {
            format!("{}SERP{}", &line[..17], &line[21..])
        } else {
            line.into()
        }]
    });
    checked(&long, &[], 2, &["A:SERP 13", "the chain holds SERP"], &[]);
    let cut = heavy(|line| {
        let is_beyond = (4..8).contains(&number(line)) && !["N", "CA"].contains(&name(line));
        vec![if is_beyond {
            moved(line, [60.0, 0.0, 0.0])
        } else {
            line.into()
        }]
    });
    checked(&cut, &[], 2, &["Å long", "make it whole"], &[]);
}
