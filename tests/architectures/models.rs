//! Every architecture, small, with every task that it serves.

use mdsurrogate::network::{
    Architecture, Attention, Egnn, Equiformer, FastEgnn, GHyena, Hyena, LongRange, Transformer,
};
use mdsurrogate::task::{Force, Form, Jump, NextFrame, Task};

fn jump(fold: bool) -> Task {
    Task::Jump(Jump {
        lag_time: 20.0,
        sigma_data: 1.0,
        lag_range: Some([20.0, 160.0]),
        fold,
    })
}

fn next_frame() -> Task {
    Task::NextFrame(NextFrame {
        lag_time: 20.0,
        scale: 0.9,
    })
}

/// Forces.
pub fn force(form: Form) -> Task {
    Task::Force(Force::new(90.0, form))
}

fn g_hyena(long_range: LongRange) -> Architecture {
    Architecture::GHyena(GHyena {
        scalars: 16,
        vectors: 8,
        pair: 8,
        layers: 2,
        long_range,
        ..GHyena::default()
    })
}

fn egnn() -> Architecture {
    Architecture::Egnn(Egnn {
        scalars: 16,
        pair: 8,
        layers: 2,
        ..Egnn::default()
    })
}

fn fast_egnn() -> Architecture {
    Architecture::FastEgnn(FastEgnn {
        scalars: 16,
        pair: 8,
        layers: 2,
        ..FastEgnn::default()
    })
}

fn attention(local: bool) -> Architecture {
    Architecture::Attention(Attention {
        scalars: 16,
        vectors: 8,
        heads: 2,
        pair: 8,
        layers: 2,
        local,
        ..Attention::default()
    })
}

fn equiformer() -> Architecture {
    Architecture::Equiformer(Equiformer {
        scalars: 16,
        vectors: 8,
        heads: 2,
        pair: 8,
        layers: 2,
        ..Equiformer::default()
    })
}

fn transformer() -> Architecture {
    Architecture::Transformer(Transformer {
        scalars: 16,
        heads: 2,
        layers: 2,
    })
}

fn hyena() -> Architecture {
    Architecture::Hyena(Hyena {
        scalars: 16,
        channels: 8,
        layers: 2,
        ..Hyena::default()
    })
}

/// Every architecture that takes coordinates for plain numbers, with every task that it serves.
pub fn plain() -> Vec<(Architecture, Task)> {
    let mut all = Vec::new();
    for architecture in [transformer(), hyena()] {
        for task in [jump(false), next_frame(), force(Form::Direct)] {
            all.push((architecture.clone(), task));
        }
    }
    all
}

/// Every architecture with every task that it serves.
pub fn all() -> Vec<(Architecture, Task)> {
    [equivariant(), plain()].concat()
}

/// Those that turn with what they are given.
pub fn equivariant() -> Vec<(Architecture, Task)> {
    let mut all = Vec::new();
    let whole = [
        (g_hyena(LongRange::Geometric), true),
        (egnn(), false),
        (fast_egnn(), false),
        (attention(true), true),
        (equiformer(), true),
    ];
    for (architecture, fold) in whole {
        for task in [
            jump(fold),
            next_frame(),
            force(Form::Direct),
            force(Form::Conservative),
        ] {
            all.push((architecture.clone(), task));
        }
    }
    for long_range in [LongRange::Scalar, LongRange::Vector, LongRange::None] {
        all.push((g_hyena(long_range), jump(false)));
    }
    all.push((attention(false), jump(false)));
    all.push((short(g_hyena(LongRange::Geometric)), jump(false)));
    all.push((short(attention(false)), next_frame()));
    all
}

/// The same with short convolutions, and without messages.
fn short(architecture: Architecture) -> Architecture {
    match architecture {
        Architecture::GHyena(sizes) => Architecture::GHyena(GHyena {
            local: false,
            short: 2,
            ..sizes
        }),
        Architecture::Attention(sizes) => Architecture::Attention(Attention { short: 1, ..sizes }),
        other => other,
    }
}
