//! Where types are erased: architectures by their name in scenario files.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, atomic::AtomicBool},
};

use schemars::{Schema, SchemaGenerator};
use serde::Deserialize;
use toml::de::ValueDeserializer;

use crate::{
    architecture::{Architecture, Cast, ConfigError},
    draw::World,
    ledger::RequestKind,
    record::RunRecord,
    run::{self, RunError},
    spec::WorldKey,
};

/// An architecture with its settings, ready to run in any world.
pub trait Contender: Send + Sync {
    /// Checks that the settings fit the world, by assembling the architecture in it.
    fn check(&self, world: &Arc<World>) -> Result<(), ConfigError>;

    /// What it knows or uses from the start that another design may not, a sentence each.
    fn premises(&self, world: &Arc<World>) -> Vec<String>;

    /// The machines that it uses, as ranges of node numbers.
    fn machines(&self, world: &Arc<World>) -> Result<Vec<Range<u32>>, ConfigError>;

    /// Its settings with every default filled in.
    fn settings(&self) -> toml::Table;

    /// Runs it in a world.
    fn run(&self, world: &Arc<World>, stop: &AtomicBool) -> Result<RunRecord, RunError>;

    /// Runs it in a world as [`crate::run_strict`] does.
    fn run_strict(&self, world: &Arc<World>, stop: &AtomicBool) -> Result<RunRecord, RunError>;
}

struct Configured<A: Architecture>(A::Config);

impl<A: Architecture> Contender for Configured<A> {
    fn check(&self, world: &Arc<World>) -> Result<(), ConfigError> {
        let mut rng = world.streams.open("architecture", 0);
        A::assemble(&self.0, &Cast::new(world), &mut rng).map(|_| ())
    }

    fn premises(&self, world: &Arc<World>) -> Vec<String> {
        A::premises(&self.0, &Cast::new(world))
    }

    fn machines(&self, world: &Arc<World>) -> Result<Vec<Range<u32>>, ConfigError> {
        A::machines(&self.0, &Cast::new(world))
    }

    fn settings(&self) -> toml::Table {
        toml::Table::try_from(&self.0).expect("settings that came from TOML go back to TOML")
    }

    fn run(&self, world: &Arc<World>, stop: &AtomicBool) -> Result<RunRecord, RunError> {
        run::run::<A>(world, &self.0, stop)
    }

    fn run_strict(&self, world: &Arc<World>, stop: &AtomicBool) -> Result<RunRecord, RunError> {
        run::run_strict::<A>(world, &self.0, stop)
    }
}

/// A kind of architecture, as scenario files name it.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// The family it belongs to.
    pub family: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// What users can ask it for.
    pub serves: &'static [RequestKind],
    /// The optional parts of a world that it takes notice of.
    pub uses: &'static [WorldKey],
    /// The schema of its settings.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads its settings; the error keeps the position in the file.
    pub configure: fn(ValueDeserializer<'_>) -> Result<Box<dyn Contender>, toml::de::Error>,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// All architectures that scenarios can name, in the order of their registration.
#[derive(Debug, Default)]
pub struct Registry {
    kinds: Vec<Kind>,
}

impl Registry {
    /// Adds an architecture.
    ///
    /// # Panics
    /// When its name is taken.
    pub fn add<A: Architecture + 'static>(&mut self) -> &mut Self {
        assert!(
            self.find(A::KIND).is_none(),
            "an architecture called {} is registered already",
            A::KIND
        );
        self.kinds.push(Kind {
            name: A::KIND,
            family: A::FAMILY,
            about: A::ABOUT,
            serves: A::SERVES,
            uses: A::USES,
            schema: |generator| generator.subschema_for::<A::Config>(),
            configure: |settings| {
                let config = A::Config::deserialize(settings)?;
                Ok(Box::new(Configured::<A>(config)))
            },
        });
        self
    }

    /// The architecture of this name.
    pub fn find(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// All architectures.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }
}
