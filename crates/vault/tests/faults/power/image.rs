//! What a disk may look like when the power goes: what was synced is there, and of the rest anything.

use countersign_vault::DiskStep;
use std::collections::BTreeMap;

/// A small generator with a printed seed; the disks need variety, not quality.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// When a name that was made or removed is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// At once.
    Soon,
    /// Not before a sync of the directory.
    OnlyWhenSynced,
    /// Not even then: a broken system, which must be noticed.
    Never,
}

/// What a disk wrote or tore at once.
const SECTOR: u64 = 512;

#[derive(Clone)]
enum Change {
    Wrote(u64, Vec<u8>),
    Cut(u64),
}

#[derive(Default)]
struct File {
    synced: Vec<u8>,
    since: Vec<Change>,
}

enum NameChange {
    Made(String, usize),
    Removed(String),
}

/// The disk as the steps so far left it.
#[derive(Default)]
pub struct Model {
    files: BTreeMap<usize, File>,
    names: BTreeMap<String, usize>,
    names_since: Vec<NameChange>,
}

/// One disk: its files by whole path, and whether it lacks anything that was done.
pub struct Image {
    pub files: Vec<(String, Vec<u8>)>,
    pub unsynced: bool,
}

impl Model {
    /// One more step.
    pub fn follow(&mut self, step: &DiskStep) {
        match step {
            DiskStep::Made { file, name } => self.names_since.push(NameChange::Made(name.clone(), *file)),
            DiskStep::Removed { name } => self.names_since.push(NameChange::Removed(name.clone())),
            DiskStep::Wrote { file, at, bytes } => self.file(*file).since.push(Change::Wrote(*at, bytes.clone())),
            DiskStep::Cut { file, size } => self.file(*file).since.push(Change::Cut(*size)),
            DiskStep::Synced { file } => {
                let file = self.file(*file);
                for change in std::mem::take(&mut file.since) {
                    apply(&mut file.synced, &change);
                }
            }
            DiskStep::SyncedDirectory => {
                for change in std::mem::take(&mut self.names_since) {
                    rename(&mut self.names, &change);
                }
            }
            DiskStep::Handed(_) => {}
        }
    }

    /// A disk the power may leave.
    pub fn image(&self, model: Names, dice: &mut Dice) -> Image {
        let mut names = if model == Names::Never { BTreeMap::new() } else { self.names.clone() };
        let mut unsynced = false;
        let mood = if model == Names::Soon { 0 } else { dice.roll(3) };
        for change in &self.names_since {
            let kept = mood == 0 || (mood == 1 && dice.roll(2) == 0);
            unsynced |= !kept;
            if kept {
                rename(&mut names, change);
            }
        }
        let empty = File::default();
        let files = names.into_iter().map(|(name, file)| {
            let file = self.files.get(&file).unwrap_or(&empty);
            let (bytes, lacks) = file.after_power_loss(dice);
            unsynced |= lacks;
            (name, bytes)
        });
        Image { files: files.collect(), unsynced }
    }

    fn file(&mut self, file: usize) -> &mut File {
        self.files.entry(file).or_default()
    }
}

impl File {
    /// Changes since the last sync dropped, kept, kept one by one, or torn: each sector of each on its own.
    fn after_power_loss(&self, dice: &mut Dice) -> (Vec<u8>, bool) {
        let mut bytes = self.synced.clone();
        let mut lacks = false;
        let mood = dice.roll(4);
        for change in &self.since {
            match (mood, change) {
                (0, _) => lacks = true,
                (1, _) => apply(&mut bytes, change),
                (3, Change::Wrote(at, written)) => {
                    let mut from = *at;
                    let end = at + written.len() as u64;
                    while from < end {
                        let to = end.min((from / SECTOR + 1) * SECTOR);
                        if dice.roll(2) == 0 {
                            let part = written[(from - at) as usize..(to - at) as usize].to_vec();
                            apply(&mut bytes, &Change::Wrote(from, part));
                        } else {
                            lacks = true;
                        }
                        from = to;
                    }
                }
                _ if dice.roll(2) == 0 => apply(&mut bytes, change),
                _ => lacks = true,
            }
        }
        (bytes, lacks)
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Cut(size) => bytes.resize(*size as usize, 0),
        Change::Wrote(at, written) => {
            let (at, end) = (*at as usize, *at as usize + written.len());
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[at..end].copy_from_slice(written);
        }
    }
}

fn rename(names: &mut BTreeMap<String, usize>, change: &NameChange) {
    match change {
        NameChange::Made(name, file) => {
            names.insert(name.clone(), *file);
        }
        NameChange::Removed(name) => {
            names.remove(name);
        }
    }
}
