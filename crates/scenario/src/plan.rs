//! Reads a scenario: text, points, worlds, contenders, claims.

use std::{fmt::Write as _, path::Path, rc::Rc, sync::Arc};

use netduel_world::{Kind, Registry, World};
use sha2::{Digest as _, Sha256};

use crate::{
    check::{self, Candidate, Check, Idle},
    claim::Ground,
    document::Document,
    error::ScenarioError,
    files::Files,
    key::Key,
    ledger, raw, resolve,
    scenario::{Axis, Experiment, Point, Scenario},
    sweep::{self, Sweep},
    table,
    tables::{Tables, unreadable},
    words::{self, Duel, Words},
};

/// Replications unless the scenario says otherwise: with 20 the Student-t interval is 7 % wider
/// than the normal one that endless replications approach (2.09 against 1.96 standard errors).
pub(crate) const REPLICATIONS: u32 = 20;

/// More replications than this are a slip: with 10,000 an interval is 2 % of a standard deviation
/// to either side.
pub const REPLICATIONS_MAX: u32 = 10_000;

/// The seed unless the scenario says otherwise.
pub(crate) const SEED: u64 = 1;

/// Reads and checks the scenario at `path` and every table it names.
///
/// # Errors
/// The first mistake, with its position.
pub fn read(
    path: &Path,
    files: &dyn Files,
    registry: &Registry,
) -> Result<Scenario, ScenarioError> {
    let text = files.read(path).map_err(|error| ScenarioError {
        path: path.to_owned(),
        position: None,
        message: format!(
            "cannot read {}, {}; expected a scenario file",
            path.display(),
            unreadable(&error)
        ),
        hint: None,
    })?;
    let doc = Document::parse(path.to_owned(), &text)?;
    let tables = Tables::new(path, files);
    let sweeps = sweep::axes(&doc)?;
    let plan = Plan {
        doc: &doc,
        tables: &tables,
        registry,
        sweeps: &sweeps,
    };
    let mut scenario = plan.scenario()?;
    let read = tables.into_read();
    let found = read.iter().flat_map(|(_, table)| table::sources(table));
    for source in found {
        if !scenario.sources.iter().any(|known| known == source) {
            scenario.sources.push(source.to_owned());
        }
    }
    scenario.digest = digest(&text, &read);
    scenario.text = text;
    Ok(scenario)
}

struct Plan<'a> {
    doc: &'a Document<'a>,
    tables: &'a Tables<'a>,
    registry: &'a Registry,
    sweeps: &'a [Sweep<'a>],
}

/// A point and what reading it brought to light.
struct Read<'a> {
    point: Point,
    raw: raw::Scenario,
    idle: Vec<Idle>,
    doc: Document<'a>,
}

impl<'a> Plan<'a> {
    fn scenario(&self) -> Result<Scenario, ScenarioError> {
        let mut docs = sweep::expand(self.doc, self.sweeps)?.into_iter();
        let (values, first_doc) = docs.next().expect("there is at least one point");
        // What is wrong with the file at large is found before its contenders are looked at.
        check::refuse_lists(&first_doc)?;
        let raw: raw::Scenario = first_doc.read()?;
        let candidates = check::candidates(&first_doc, self.registry)?;
        let kinds: Vec<Kind> = candidates.iter().map(|c| c.kind).collect();
        let experiment = experiment(&first_doc, &raw)?;
        let context = (experiment, candidates.as_slice(), kinds.as_slice());
        let first = self.point(values, first_doc, context)?;
        let mut idle = first.idle.clone();
        let mut points = Vec::new();
        for (values, doc) in docs {
            let read = self.point(values, doc, context)?;
            idle.retain(|key| read.idle.contains(key));
            points.push(read.point);
        }
        if let Some(Idle { key, why }) = idle.first() {
            let problem = format!("has no effect: {why}; expected it to be left out");
            return Err(first.doc.problem(key, problem));
        }
        points.insert(0, first.point);
        self.finish(&first.raw, &candidates, points, experiment)
    }

    fn point(
        &self,
        values: Vec<String>,
        doc: Document<'a>,
        (experiment, candidates, kinds): (Experiment, &[Candidate], &[Kind]),
    ) -> Result<Read<'a>, ScenarioError> {
        check::refuse_lists(&doc)?;
        let raw: raw::Scenario = doc.read()?;
        let check = Check {
            doc: &doc,
            raw: &raw,
            tables: self.tables,
            kinds,
        };
        let spec = check.world()?;
        check::serve(&doc, candidates, self.registry, &spec.demand.wants)?;
        let mut idle = check.idle();
        let contenders = check::configure(&doc, candidates, self.tables, spec.population.peers)?;
        let world = Arc::new(World::draw(&spec, experiment.seed, 0));
        check::fit(&doc, candidates, &contenders, &world).map_err(|mut error| {
            // The setting may fit at other points.
            let axes = self.sweeps.iter().map(|sweep| &sweep.axis.key);
            let place = axes
                .zip(&values)
                .map(|(key, value)| format!("{key} = {value}"));
            if !values.is_empty() {
                error.hint = Some(format!("at the point {}", words::and(place)));
            }
            error
        })?;
        let used = contenders.iter().map(AsRef::as_ref);
        idle.extend(
            check::idle_machines(used, &world)
                .into_iter()
                .map(|name| Idle {
                    key: Key::from("infrastructure").join(name),
                    why: "no contender uses these machines",
                }),
        );
        let point = Point {
            values,
            world: spec,
            contenders,
        };
        Ok(Read {
            point,
            raw,
            idle,
            doc,
        })
    }

    fn finish(
        &self,
        raw: &raw::Scenario,
        candidates: &[Candidate],
        points: Vec<Point>,
        experiment: Experiment,
    ) -> Result<Scenario, ScenarioError> {
        let contenders: Vec<_> = candidates.iter().map(|c| c.entrant.clone()).collect();
        let axes: Vec<Axis> = self.sweeps.iter().map(|sweep| sweep.axis.clone()).collect();
        let ground = Ground {
            doc: self.doc,
            entrants: &contenders,
            axes: &axes,
            points: &points,
        };
        let claims = ground.claims(&raw.claims)?;
        let swept: Vec<Key> = self.sweeps.iter().map(|sweep| sweep.key.clone()).collect();
        let ledger = ledger::open(candidates, &points, experiment);
        let demand = Key::from("demand").join(raw.demand.name());
        let rate = demand.join("arrivals").join("poisson");
        let words = Words {
            raw,
            swept: &swept,
            axes: &axes,
            rate: self.doc.has(&rate).then(|| self.doc.written(&rate)),
        };
        let explained = words.explain(&Duel {
            entrants: &contenders,
            axes: &axes,
            first: &points[0],
            point_count: points.len(),
            experiment,
            claims: &claims,
            ledger: &ledger,
        });
        Ok(Scenario {
            title: raw.title.clone(),
            question: raw.question.clone(),
            setup: words.setup(),
            demand: raw.demand.name(),
            explained,
            resolved: resolve::toml(raw, candidates, self.sweeps, &points[0]),
            contenders,
            axes,
            points,
            experiment,
            claims,
            sources: Vec::new(),
            ledger,
            text: String::new(),
            digest: String::new(),
        })
    }
}

fn experiment(doc: &Document<'_>, raw: &raw::Scenario) -> Result<Experiment, ScenarioError> {
    for (name, text) in [("title", &raw.title), ("question", &raw.question)] {
        if text.trim().is_empty() {
            return Err(doc.refuse(&name.into(), "a text that is not empty"));
        }
    }
    let replications = raw.experiment.replications.unwrap_or(REPLICATIONS);
    if !(1..=REPLICATIONS_MAX).contains(&replications) {
        let key = Key::from("experiment.replications");
        let expected = format!("a whole number from 1 to {REPLICATIONS_MAX}");
        return Err(doc.refuse(&key, expected));
    }
    Ok(Experiment {
        seed: raw.experiment.seed.unwrap_or(SEED),
        replications,
    })
}

/// SHA-256 over the scenario and its tables, each with its name and length, so that no text can
/// pass for another by moving a boundary.
fn digest(text: &str, tables: &[(String, Rc<str>)]) -> String {
    let mut tables: Vec<(&str, &str)> = tables.iter().map(|(n, t)| (n.as_str(), &**t)).collect();
    tables.sort_unstable();
    let mut hasher = Sha256::new();
    for (name, text) in std::iter::once(("", text)).chain(tables) {
        for part in [name, text] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hasher
        .finalize()
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a string takes any text");
            hex
        })
}
