"""The working network of `mdsurrogate` in JAX: an independent check of its values, and the time it
takes here.

    network_jax.py check CASE.json MODEL.safetensors
        compares the answer and the loss gradient with the program's
    network_jax.py bench THREADS N:K[:BATCH] …
        forward and training step, ms; peak memory, MiB
    network_jax.py compare [N:K[:BATCH] …]
        the same of both programs, each case in a process of its own, and the ratios

Both are warmed up; `ms` is the fastest call, `cpu_ms` the mean processor time of a call, which
other programs disturb less. JAX differentiates by the parameters alone, we by the positions as
well. One thread is one pinned core for both. The equations are those of src/ops; edges are a dense
(token, neighbour) table, as JAX wants shapes that do not change.
"""

import json, os, resource, subprocess, sys, time

CASES = ["32:31:8", "154:32", "1231:32", "16000:32"]


def compare(cases):
    """Runs both programs on every case with one thread and with two; prints a table of ratios
    JAX/ours."""

    def run(command, threads, case):
        pin = lambda: os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:threads]))
        done = subprocess.run(
            [*command, str(threads), case], stdout=subprocess.PIPE, preexec_fn=pin, text=True
        )
        return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None

    ours = ["cargo", "bench", "--quiet", "--bench", "network", "--"]
    subprocess.run([*ours[:-1], "--no-run"], check=True)
    for case in cases or CASES:
        for threads in (1, 2):
            a, b = run(ours, threads, case), run([sys.executable, __file__, "bench"], threads, case)
            for name in ("forward_ms", "forward_cpu_ms", "train_ms", "train_cpu_ms", "peak_mib"):
                found, theirs = a[name], b[name] if b else float("nan")
                print(
                    f"{case:10} {threads} thread(s) {name:15} ours {found:10.1f}  "
                    f"JAX {theirs:10.1f}  JAX/ours {theirs / found:6.2f}",
                    flush=True,
                )


if sys.argv[1] == "compare":
    sys.exit(compare(sys.argv[2:]))
if sys.argv[1] == "bench":
    os.environ["XLA_FLAGS"] = (
        f"--xla_cpu_multi_thread_eigen={'true' if sys.argv[2] != '1' else 'false'} "
        f"intra_op_parallelism_threads={sys.argv[2]}"
    )
import jax, jax.numpy as jnp, numpy as np

if sys.argv[1] == "check":
    jax.config.update("jax_enable_x64", True)
C, K, P, L, RADIAL, REACH = 64, 16, 32, 4, 14, 11.0


def read(path):
    """Tensors of a safetensors file, in its own order."""
    raw = open(path, "rb").read()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    header.pop("__metadata__", None)
    tensor = lambda t: (
        np.frombuffer(raw[8 + size :][slice(*t["data_offsets"])], "<f4")
        .reshape(t["shape"])
        .astype(np.float64)
    )
    return {name: jnp.asarray(tensor(t)) for name, t in header.items()}


def norm(x):
    x = x - x.mean(-1, keepdims=True)
    return x / jnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)


def linear(p, name, *xs):
    y = sum(x @ p[f"{name}.weight" + (f"_{k}" if k else "")] for k, x in enumerate(xs))
    return y + p[f"{name}.bias"][0] if f"{name}.bias" in p else y


def splines(r):
    s = jnp.minimum(r * (RADIAL - 1) / REACH, RADIAL - 1.0)
    i = jnp.floor(s).astype(int)
    f = s - i
    w = jnp.stack(
        [
            (1 - f) ** 3 / 6,
            2 / 3 + f * f * (f / 2 - 1),
            2 / 3 + (1 - f) ** 2 * ((1 - f) / 2 - 1),
            f**3 / 6,
        ],
        -1,
    )
    rows = jnp.minimum(i[..., None] + jnp.arange(4), RADIAL - 1)
    return (w[..., None] * jax.nn.one_hot(rows, RADIAL)).sum(-2)


def clip(z):
    return z / jnp.sqrt(1 + (z / 4) ** 2)


def pair(x, j):
    d = x[:, None] - x[j]
    r = jnp.sqrt((d * d).sum(-1) + 1e-6)
    return d / (r + 0.1)[..., None], r


def message(p, name, a, b, y, x, n, g):
    (u, r), (uc, rc) = pair(y, g["sender"]), pair(x, g["sender"])
    mask = (g["template"] > 0) * 1.0
    pre = lambda e, w: clip(e * g["scale"] / (w * w + g["scale"] ** 2))
    t, dr, w = mask * (r - g["template"]), r - rc, n[:, None] - n[g["sender"]]
    dense = [
        pre(t, 0.03),
        pre(t, 0.1),
        pre(mask * dr, 0.1),
        pre(dr, 0.3),
        jnp.tanh(dr),
        2 / (r + 0.3),
    ]
    dense += [(w * u).sum(-1), (w * uc).sum(-1), mask * (rc - g["template"]) / 0.1]
    h = (
        a[:, None]
        + b[g["sender"]]
        + p[f"{name}.relation"][g["relation"]]
        + splines(r) @ p[f"{name}.radial"]
    )
    h = jax.nn.silu(
        h + splines(rc) @ p[f"{name}.radial_condition"] + jnp.stack(dense, -1) @ p[f"{name}.dense"]
    )
    m = jax.nn.silu(h @ p[f"{name}.weight"] + p[f"{name}.bias"][0]) * g["present"][..., None]
    v = jnp.concatenate([jnp.einsum("ijh,ijp->ihp", d, m) for d in (u, uc)], -1)
    return 0.175 * m.sum(1), 0.35 * v


def heights(y, g):
    a = [y[g["centres"][:, k]] for k in range(4)]
    nu = jnp.cross(a[2] - a[1], a[3] - a[1]) / g["area"][:, None]
    e = ((a[1] - a[0]) * nu).sum(-1) - g["height"]
    pre = lambda w: clip(e * g["scale"] / (w * w + g["scale"] ** 2))
    z = jnp.stack([pre(0.04), pre(0.2), jnp.tanh(e)], -1)
    own = jnp.zeros((len(y), 3), z.dtype).at[g["centres"][:, 0]].add(z)
    v = nu[:, :, None] * z[:, None, :2]
    near, vec = (
        jnp.zeros_like(own),
        jnp.zeros((len(y), 3, 2), z.dtype).at[g["centres"][:, 0]].add(0.75 * v),
    )
    for k in (1, 2, 3):
        near, vec = near.at[g["centres"][:, k]].add(z), vec.at[g["centres"][:, k]].add(-0.25 * v)
    return jnp.concatenate([own, near], -1), vec


def convolution(q, k, lam):
    n = len(q)
    f, h = (jnp.fft.rfft(z, 2 * n, axis=0) for z in (q, k))
    s = lam[0] * f[:, 0] * h[:, 0] + lam[1] * (f[:, 1:] * h[:, 1:]).sum(1)
    v = (
        lam[2] * f[:, :1] * h[:, 1:]
        + lam[3] * h[:, :1] * f[:, 1:]
        + lam[4] * jnp.cross(f[:, 1:], h[:, 1:], axis=1)
    )
    return jnp.fft.irfft(jnp.concatenate([s[:, None], v], 1), 2 * n, axis=0)[:n] / np.sqrt(n)


def product(u, v):
    a, r, b, s = u[:, :1], u[:, 1:], v[:, :1], v[:, 1:]
    return jnp.concatenate(
        [a * b + (r * s).sum(1, keepdims=True), a * s + b * r + jnp.cross(r, s, axis=1)], 1
    )


def network(p, g):
    """The answer (N, 3) of one system: y moved by all blocks."""
    e = linear(p, "conditioning.1", jax.nn.silu(linear(p, "conditioning.0", g["conditioning"])))
    f = (
        sum(p[f"embed.{t}"][g["kinds"][:, k]] for k, t in enumerate(("name", "residue", "place")))
        + e
    )
    col = lambda x: x[:, :, None]
    v = linear(p, "vectors", col(g["noisy"]), col(g["place"]))
    y = g["candidate"]
    for l in range(L):
        name = f"layer {l}"
        hs, hv = heights(y, g)
        f = f + linear(p, f"{name}.heights_in", hs)
        fn = norm(f)
        agg, t = message(
            p,
            f"{name}.message",
            linear(p, f"{name}.receiver", fn),
            linear(p, f"{name}.sender", fn),
            y,
            g["condition"],
            g["noisy"],
            g,
        )
        al = linear(p, f"{name}.heads_scalars", jax.nn.silu(linear(p, f"{name}.heads_in", fn, agg)))
        r = linear(p, f"{name}.heads_vectors", v, t, hv)

        def head(i):
            z = jnp.concatenate([al[:, None, i * K : (i + 1) * K], r[..., i * K : (i + 1) * K]], 1)
            return z / jnp.sqrt((z * z).sum(1, keepdims=True).mean(-1, keepdims=True) + 1e-6)

        u = convolution(head(0), head(1), p[f"{name}.convolution.lambda"]) * jax.nn.sigmoid(
            al[:, None, 3 * K :] + 1
        )
        o = product(u, head(2))
        f = f + linear(p, f"{name}.scalars_out", o[:, 0], agg)
        v = v + linear(p, f"{name}.vectors_out", o[:, 1:], t, hv)
        nv = jnp.sqrt((v * v).sum(1) + 1e-6)
        h = jax.nn.silu(linear(p, f"{name}.mlp_in", norm(f), nv / (1 + nv)))
        f = f + linear(p, f"{name}.mlp_out", h)
        v = v + jax.nn.sigmoid(linear(p, f"{name}.mlp_gates", h))[:, None] * linear(
            p, f"{name}.mlp_vectors", v
        )
        v = v / jnp.sqrt(1 + (v * v).sum(1, keepdims=True).mean(-1, keepdims=True) / 16)
        w = linear(
            p, f"{name}.readout_weights", jax.nn.silu(linear(p, f"{name}.readout_in", norm(f)))
        )
        d = (jnp.concatenate([v, t, hv], -1) * w[:, None]).sum(-1)
        y = y + g["scale"] * (d - d.mean(0))
    return y


def check(case_path, model_path):
    case, p = json.load(open(case_path)), read(model_path)
    g = {k: jnp.asarray(v) for k, v in case["input"].items()}
    answer = network(p, g)
    grads = jax.grad(lambda p: (network(p, g) * jnp.asarray(case["d_answer"])).sum())(p)
    flat = jnp.concatenate([grads[name].ravel() for name in case["parameters"]])
    error = lambda a, b: float(jnp.linalg.norm(a - b) / jnp.linalg.norm(b))
    print(
        json.dumps(
            {
                "answer": error(jnp.asarray(case["answer"]), answer),
                "gradient": error(jnp.asarray(case["gradient"]), flat),
            }
        )
    )


def random_case(rng, n, k):
    g = dict(
        candidate=rng.normal(size=(n, 3)) * 5,
        noisy=rng.normal(size=(n, 3)),
        conditioning=rng.normal(size=(1, 32)),
        scale=np.float64(0.4),
    )
    g |= dict(
        condition=g["candidate"] + 0.3 * rng.normal(size=(n, 3)),
        place=g["candidate"] / 8,
        kinds=rng.integers(0, 4, (n, 3)),
    )
    g |= dict(
        sender=(np.arange(n)[:, None] + 1 + np.arange(k)) % n,
        relation=rng.integers(0, 30, (n, k)),
        present=np.ones((n, k)),
    )
    g |= dict(
        template=np.where(rng.random((n, k)) < 0.2, 1.5, 0.0),
        centres=(np.arange(n // 3)[:, None] * 3 + np.arange(4)) % n,
    )
    g |= dict(height=np.full(n // 3, 0.4), area=np.full(n // 3, 5.0))
    return {
        key: jnp.asarray(value, jnp.int32 if value.dtype == np.int64 else jnp.float32)
        for key, value in g.items()
    }


def shapes():
    W = [2 * P, 2]
    s = {"conditioning.0": ([32], C, 1), "conditioning.1": ([C], C, 1), "vectors": ([1, 1], K, 0)}
    for l in range(L):
        n = f"layer {l}."
        s |= {
            n + "heights_in": ([6], C, 0),
            n + "receiver": ([C], P, 0),
            n + "sender": ([C], P, 0),
            n + "heads_in": ([C, P], C, 1),
            n + "heads_scalars": ([C], 4 * K, 1),
        }
        s |= {
            n + "heads_vectors": ([K] + W, 3 * K, 0),
            n + "scalars_out": ([K, P], C, 0),
            n + "vectors_out": ([K] + W, K, 0),
            n + "mlp_in": ([C, K], 2 * C, 1),
        }
        s |= {
            n + "mlp_out": ([2 * C], C, 1),
            n + "mlp_gates": ([2 * C], K, 1),
            n + "mlp_vectors": ([K], K, 0),
            n + "readout_in": ([C], C, 1),
            n + "readout_weights": ([C], K + sum(W), 1),
        }
    return s


def random_parameters(rng):
    w = lambda *size: jnp.asarray(rng.normal(size=size) / np.sqrt(size[0]), jnp.float32)
    p = {f"embed.{t}": w(n, C) for t, n in (("name", 38), ("residue", 23), ("place", 4))}
    for name, (inputs, out, bias) in shapes().items():
        p |= {
            f"{name}.weight" + (f"_{k}" if k else ""): w(i, out) * 0.5 for k, i in enumerate(inputs)
        }
        p |= {f"{name}.bias": jnp.zeros((1, out))} if bias else {}
    for l in range(L):
        m = f"layer {l}.message."
        p |= {
            m + "relation": w(30, P),
            m + "radial": w(RADIAL, P),
            m + "radial_condition": w(RADIAL, P),
            m + "dense": w(9, P),
            m + "weight": w(P, P),
            m + "bias": jnp.zeros((1, P)),
        }
        p[f"layer {l}.convolution.lambda"] = jnp.full((5, K), 0.5)
    return p


def bench(cases):
    rng = np.random.default_rng(0)
    p = random_parameters(rng)
    for case in cases:
        n, k, batch = (list(map(int, case.split(":"))) + [1])[:3]
        g = jax.tree.map(lambda *x: jnp.stack(x), *[random_case(rng, n, k) for _ in range(batch)])
        forward = jax.jit(jax.vmap(network, (None, 0)))
        loss = jax.jit(
            jax.value_and_grad(lambda p, g: (jax.vmap(network, (None, 0))(p, g) ** 2).mean())
        )
        row = dict(tokens=n, batch=batch)
        for name, f in (("forward_ms", forward), ("train_ms", loss)):
            jax.block_until_ready(f(p, g))
            times, before = [], time.process_time()
            while sum(times) < 2 or len(times) < 3:
                t = time.perf_counter()
                jax.block_until_ready(f(p, g))
                times.append(time.perf_counter() - t)
            row[name] = 1e3 * min(times)
            row[name.replace("_ms", "_cpu_ms")] = 1e3 * (time.process_time() - before) / len(times)
        row["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(row), flush=True)


check(*sys.argv[2:4]) if sys.argv[1] == "check" else bench(sys.argv[3:])
