use super::*;

const GOOD: &str = "[data]\nsystems = [{ topology = \"a.pdb\", trajectories = [\"a.xtc\"] }]\n\
                    [jump]\nlag = \"20ps\"\n[training]\nupdates = 10\n";

fn config_with(objective: &str) -> Config {
    Config::parse(
        GOOD.replace("[jump]\nlag = \"20ps\"", objective),
        Path::new("dir/train.toml"),
    )
    .unwrap()
}

fn refusal(text: &str) -> String {
    let error = Config::parse(text.into(), Path::new("dir/train.toml")).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

#[test]
fn defaults_are_those_of_the_measured_formulation() {
    let config = Config::parse(GOOD.into(), Path::new("dir/train.toml")).unwrap();
    let Settings::Jump(jump) = config.task else {
        panic!("{:?}", config.task)
    };
    assert_eq!(
        (
            jump.lag,
            jump.reversed,
            jump.condition_noise,
            jump.log_sigma_mean,
            jump.log_sigma_std
        ),
        (20.0, 0.5, 0.1, -1.6, 1.5)
    );
    assert_eq!(
        (
            config.optimizer.beta2,
            config.training.batch,
            config.training.budget()
        ),
        (0.99, 16, Budget::Updates(10))
    );
    assert_eq!(config.data.systems[0].name(), "a");
    assert_eq!(config.data_folder(None), Path::new("dir"));
    assert_eq!(
        config.data_folder(Some(Path::new("elsewhere"))),
        Path::new("elsewhere")
    );
}

#[test]
fn the_shipped_configurations_are_sound_and_name_the_defaults() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let read = |name| Config::read(&folder.join(name)).unwrap();
    assert!(read("akle.toml").lag() > 0.0 && read("trpcage.toml").lag() > 0.0);
    let every = read("every_key.toml");
    let training = Training {
        updates: every.training.updates,
        ..Training::default()
    };
    let split = Split::default();
    assert_eq!(every.training, training);
    assert_eq!(
        (every.optimizer, every.split, every.architecture),
        (Optimizer::default(), split, Architecture::default())
    );
    assert_eq!(every.task, config_with("[jump]\nlag = \"20ps\"").task);
}

#[test]
fn older_files_keep_working() {
    let next_frame = config_with("[displacement]\nlag = \"20ps\"");
    assert_eq!(
        next_frame.task,
        config_with("[next-frame]\nlag = \"20ps\"").task
    );
    let new = config_with("[jump]\nlag = \"20ps\"\nfold = true");
    let old = config_with("[jump]\nlag = \"20ps\"\n[model]\nfold = true");
    assert_eq!((old.task, old.architecture), (new.task, new.architecture));
    assert!(old.task.gives_fold());
    let message = refusal(&format!("{GOOD}[model]\nfold = true\n").replace("jump", "next-frame"));
    assert!(message.contains("model.fold"), "{message}");
}

#[test]
fn an_architecture_has_its_own_keys() {
    let sizes = |keys: &str| config_with(&format!("[force]\n[model]\n{keys}")).architecture;
    let egnn = crate::network::Egnn {
        pair: 16,
        reach: 9.0,
        ..Default::default()
    };
    assert_eq!(
        sizes("architecture = \"egnn\"\npair = 16\nreach = 9"),
        Architecture::Egnn(egnn)
    );
    assert_eq!(sizes("architecture = \"g-hyena\""), Architecture::default());
    let message = refusal(&format!("{GOOD}[model]\narchitecture = \"hyaena\"\n"));
    assert!(
        message.starts_with("dir/train.toml:7: ") && message.contains("g-hyena"),
        "{message}"
    );
    let message = refusal(&format!(
        "{GOOD}[model]\narchitecture = \"egnn\"\nlong_range = \"none\"\n"
    ));
    assert!(
        message.contains("`long_range`") && message.contains("`scalars`"),
        "{message}"
    );
}

#[test]
fn what_is_wrong_is_refused_with_file_line_key_and_what_is_allowed() {
    let message = refusal(&format!("{GOOD}btach = 16\n"));
    assert!(
        message.starts_with("dir/train.toml:7: ")
            && message.contains("btach")
            && message.contains("`batch`"),
        "{message}"
    );
    let message = refusal(&GOOD.replace("20ps", "20"));
    assert!(
        message.starts_with("dir/train.toml:4: ")
            && message.contains("`20` has no unit; try: 20ps (or fs, ns, us)"),
        "{message}"
    );
    for (lag, usual) in [("0ps", ""), ("0ps", "160ps"), ("20ps", "160ps")] {
        let usual = match usual {
            "" => String::new(),
            lag => format!("\nusual = {{ lag = \"{lag}\", residues = [2, 9] }}"),
        };
        let message = refusal(&GOOD.replace("20ps\"", &format!("{lag}\"{usual}")));
        let key = if lag == "20ps" { "usual" } else { "lag" };
        assert!(message.contains(&format!("jump.{key}")), "{message}");
    }
    let message = refusal(&format!("{GOOD}batch = 0\n"));
    assert!(
        message.contains("training.batch") && message.contains("at least 1"),
        "{message}"
    );
    for key in ["batch", "validation_samples"] {
        let message = refusal(&format!("{GOOD}{key} = 1000000000000\n"));
        assert!(
            message.contains(&format!("training.{key}: must be at")),
            "{message}"
        );
    }
    let message = refusal(&format!("{GOOD}batch = \"many\"\n"));
    assert!(message.starts_with("dir/train.toml:7: "), "{message}");
    let message = refusal(&format!("{GOOD}[model]\npair = 9\n"));
    assert!(
        message.contains("dir/train.toml") && message.contains("`pair`"),
        "{message}"
    );
    let message = refusal(&format!("{GOOD}[force]\n"));
    assert!(message.contains("[next-frame]"), "{message}");
    let message = refusal(&format!("{GOOD}minutes = 3.0\n"));
    assert!(message.contains("either updates or minutes"), "{message}");
    let message = refusal(&format!("{GOOD}[optimizer]\nlearning_rate = nan\n"));
    assert!(message.contains("optimizer.learning_rate"), "{message}");
}
