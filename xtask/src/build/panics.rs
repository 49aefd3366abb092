//! Takes the words out of panics, in an object file, before it is linked.
//!
//! With `panic = "abort"` and no hook a panic in a browser is a trap, and nobody ever reads its message.
//! The compiler cannot leave it out without rebuilding the standard library, which wants a nightly one. So:
//! a function that never returns and that cannot reach JavaScript gets the body `unreachable`, and the
//! addresses handed to it (messages, places in the source, tables of `Debug`) are no longer listed as
//! needed. The linker then drops whatever only panics needed: 6,082 bytes of brotli, of 45,177.
//!
//! No list of names, which would age with the compiler: LLVM writes `unreachable` behind a call only when
//! it has proven that the call does not return. What throws into JavaScript stays as it is. A panic hook would
//! be lost: the widget sets none. Sizes stay as they are, so no offset moves.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use anyhow::{Context, Result};
use wasmparser::{BinaryReader, KnownCustom, Operator, Parser, Payload, TypeRef};

const UNREACHABLE: u8 = 0x00;
const END: u8 = 0x0b;

/// A function with the place of its body in the file and its instructions.
struct Function<'a> {
    body: Range<usize>,
    instructions: Vec<(Operator<'a>, usize)>,
}

/// What of an object file matters here.
#[derive(Default)]
struct Object<'a> {
    /// Functions that come from elsewhere, JavaScript among them; they are numbered first.
    imports: usize,
    functions: Vec<Function<'a>>,
    /// Where the code's content begins; relocations count from there.
    code: usize,
    /// The whole section of the code's relocations, from its id on, and its content.
    relocations: Option<(Range<usize>, &'a [u8])>,
}

/// The object with silent panics; as it is, if it has no code.
pub(super) fn silence(file: &[u8]) -> Result<Vec<u8>> {
    let object = read(file).context("cannot read the object file")?;
    let Some((section, content)) = object.relocations.clone() else { return Ok(file.to_vec()) };
    let silent = object.silent();
    let mut unneeded = object.arguments(&silent);

    let mut code = file.to_vec();
    for (index, function) in object.functions.iter().enumerate() {
        // The first byte counts the kinds of locals: none, which is written like `unreachable`.
        if let Some((last, rest)) = code[function.body.clone()].split_last_mut()
            && silent.contains(&(object.imports + index))
        {
            rest.fill(UNREACHABLE);
            *last = END;
            unneeded.push(function.body.clone());
        }
    }
    let kept = without(content, |offset| {
        let place = object.code + offset;
        unneeded.iter().any(|range| range.contains(&place))
    })?;
    let mut silenced = code[..section.start].to_vec();
    silenced.push(0);
    write_number(&mut silenced, kept.len());
    silenced.extend(kept);
    silenced.extend(&code[section.end..]);
    Ok(silenced)
}

fn read(file: &[u8]) -> Result<Object<'_>> {
    let mut object = Object::default();
    let mut sections_end = 8;
    for payload in Parser::new(0).parse_all(file) {
        let payload = payload?;
        match &payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    object.imports += usize::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionStart { range, .. } => object.code = range.start,
            Payload::CodeSectionEntry(body) => {
                let instructions = body.get_operators_reader()?.into_iter_with_offsets();
                object.functions.push(Function {
                    body: body.range(),
                    instructions: instructions.collect::<Result<_, _>>()?,
                });
            }
            Payload::CustomSection(custom) if custom.name() == "reloc.CODE" => {
                if let KnownCustom::Reloc(_) = custom.as_known() {
                    let range = custom.range();
                    object.relocations = Some((sections_end..range.end, &file[range]));
                }
            }
            _ => {}
        }
        if let Some((_, range)) = payload.as_section() {
            sections_end = range.end;
        }
    }
    Ok(object)
}

impl Object<'_> {
    /// Functions that never return and call nothing that comes from elsewhere.
    fn silent(&self) -> HashSet<usize> {
        let mut returns: HashMap<usize, bool> = HashMap::new();
        let mut calls: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, function) in self.functions.iter().enumerate() {
            for (at, (instruction, _)) in function.instructions.iter().enumerate() {
                let Operator::Call { function_index } = instruction else { continue };
                let callee = *function_index as usize;
                // The ends of blocks do nothing: what counts is what would be done next.
                let next = function.instructions[at + 1..].iter().map(|(next, _)| next);
                let next = next.clone().find(|next| !matches!(next, Operator::End));
                *returns.entry(callee).or_default() |= !matches!(next, Some(Operator::Unreachable));
                calls.entry(self.imports + index).or_default().push(callee);
            }
        }
        let ends = returns.into_iter().filter(|(_, returns)| !returns).map(|(function, _)| function);
        ends.filter(|function| !self.leaves(*function, &calls)).collect()
    }

    /// True if a function calls, by others or itself, one that comes from elsewhere.
    fn leaves(&self, function: usize, calls: &HashMap<usize, Vec<usize>>) -> bool {
        let (mut seen, mut next) = (HashSet::new(), vec![function]);
        while let Some(function) = next.pop() {
            if function < self.imports {
                return true;
            }
            if seen.insert(function) {
                next.extend(calls.get(&function).into_iter().flatten());
            }
        }
        false
    }

    /// Places of the constants that are nothing but arguments of silent functions: between them and the
    /// call stands only what has no effect but on values that the call makes pointless.
    fn arguments(&self, silent: &HashSet<usize>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for function in &self.functions {
            let mut pending = Vec::new();
            for (at, (instruction, start)) in function.instructions.iter().enumerate() {
                match instruction {
                    Operator::Call { function_index } if silent.contains(&(*function_index as usize)) => {
                        found.append(&mut pending);
                    }
                    Operator::I32Const { .. } => {
                        let end = function.instructions.get(at + 1).map_or(function.body.end, |next| next.1);
                        pending.push(*start..end);
                    }
                    instruction if is_pure(instruction) => {}
                    _ => pending.clear(),
                }
            }
        }
        found
    }
}

fn is_pure(instruction: &Operator<'_>) -> bool {
    use Operator::{GlobalGet, I32Add, I32Load, I64Const, LocalGet, LocalSet, LocalTee};
    matches!(
        instruction,
        I64Const { .. }
            | LocalGet { .. }
            | LocalSet { .. }
            | LocalTee { .. }
            | GlobalGet { .. }
            | I32Add
            | I32Load { .. }
    )
}

/// The content of a section of relocations, less those whose offset is unneeded.
fn without(content: &[u8], unneeded: impl Fn(usize) -> bool) -> Result<Vec<u8>> {
    let mut reader = BinaryReader::new(content, 0);
    reader.read_string()?;
    reader.read_var_u32()?;
    let head = reader.original_position();
    let count = reader.read_var_u32()?;
    let (mut kept, mut left) = (Vec::<u8>::new(), 0);
    for _ in 0..count {
        let start = reader.original_position();
        let entry: wasmparser::RelocationEntry = reader.read()?;
        if !unneeded(entry.offset as usize) {
            kept.extend(&content[start..reader.original_position()]);
            left += 1;
        }
    }
    let mut section = content[..head].to_vec();
    write_number(&mut section, left);
    section.extend(kept);
    Ok(section)
}

/// An unsigned number as LEB128: seven bits a byte, the lowest first, and a flag for more.
fn write_number(bytes: &mut Vec<u8>, number: usize) {
    let [low, ..] = number.to_le_bytes();
    let rest = number >> 7;
    if rest == 0 {
        bytes.push(low);
    } else {
        bytes.push(low | 0x80);
        write_number(bytes, rest);
    }
}

#[cfg(test)]
mod tests;
