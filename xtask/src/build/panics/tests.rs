//! Objects written by hand: one import, a function that panics, one that throws, and who calls them.

use super::*;

const NO_LOCALS: u8 = 0;
const I32_CONST: u8 = 0x41;
const CALL: u8 = 0x10;
const DROP: u8 = 0x1a;
/// Five bytes for an address that the linker fills in.
const ADDRESS: [u8; 5] = [0x80, 0x80, 0x80, 0x80, 0];
const MEMORY_ADDR_SLEB: u8 = 4;

/// Function 0 comes from JavaScript; the others follow.
const PANIC: u8 = 1;
const THROW: u8 = 2;

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let mut section = vec![id];
    write_number(&mut section, content.len());
    section.extend(content);
    section
}

/// An object of one import and of functions without locals, with an address to fill in wherever there
/// is room for one.
fn object(functions: &[&[&[u8]]]) -> Vec<u8> {
    let count = u8::try_from(functions.len()).unwrap();
    let mut code = vec![count];
    for parts in functions {
        let body = parts.concat();
        write_number(&mut code, body.len() + 2);
        code.push(NO_LOCALS);
        code.extend(body);
        code.push(END);
    }
    let mut file = b"\0asm\x01\0\0\0".to_vec();
    file.extend(section(1, &[1, 0x60, 0, 0]));
    file.extend(section(2, b"\x01\x01j\x02js\0\0"));
    file.extend(section(3, &[&[count][..], &vec![0; functions.len()]].concat()));
    file.extend(section(10, &code));

    let places = code.windows(ADDRESS.len()).enumerate().filter(|(_, bytes)| **bytes == ADDRESS);
    let places: Vec<u8> = places.map(|(place, _)| u8::try_from(place).unwrap()).collect();
    let mut relocations = b"\x0areloc.CODE".to_vec();
    relocations.extend([3, u8::try_from(places.len()).unwrap()]);
    relocations.extend(places.iter().flat_map(|place| [MEMORY_ADDR_SLEB, *place, 0, 0]));
    file.extend(section(0, &relocations));
    file
}

/// How many addresses are still to be filled in.
fn addresses(file: &[u8]) -> usize {
    let (_, relocations) = read(file).unwrap().relocations.unwrap();
    usize::from(relocations[b"\x0areloc.CODE".len() + 1])
}

/// Instructions of a function of a silenced object.
fn instructions(file: &[u8], function: usize) -> usize {
    read(file).unwrap().functions[function].instructions.len()
}

const PANICS: &[&[u8]] = &[&[I32_CONST], &ADDRESS, &[DROP, UNREACHABLE]];
const THROWS: &[&[u8]] = &[&[I32_CONST], &ADDRESS, &[DROP, CALL, 0, UNREACHABLE]];

#[test]
fn a_panic_loses_its_words_and_its_caller_the_address_of_them() {
    let caller: &[&[u8]] = &[&[I32_CONST], &ADDRESS, &[CALL, PANIC, UNREACHABLE]];
    let file = object(&[PANICS, THROWS, caller]);
    assert_eq!(addresses(&file), 3);

    let silenced = silence(&file).unwrap();
    assert_eq!(addresses(&silenced), 1, "only the one of the function that throws is left");
    let object = read(&silenced).unwrap();
    let only_traps = |function: &Function| {
        let (end, rest) = function.instructions.split_last().unwrap();
        end.0 == Operator::End && rest.iter().all(|(one, _)| *one == Operator::Unreachable)
    };
    assert!(only_traps(&object.functions[0]));
}

#[test]
fn what_reaches_javascript_keeps_its_words() {
    let caller: &[&[u8]] = &[&[I32_CONST], &ADDRESS, &[CALL, THROW, UNREACHABLE]];
    let file = object(&[PANICS, THROWS, caller]);
    assert_eq!(silence(&file).unwrap(), file);
}

#[test]
fn what_returns_to_one_of_its_callers_is_no_panic() {
    let ends: &[&[u8]] = &[&[CALL, PANIC, UNREACHABLE]];
    let goes_on: &[&[u8]] = &[&[CALL, PANIC, CALL, PANIC, UNREACHABLE]];
    let file = object(&[PANICS, ends, goes_on]);
    assert_eq!(silence(&file).unwrap(), file);
}

#[test]
fn an_address_that_was_used_before_the_panic_stays() {
    let caller: &[&[u8]] = &[&[I32_CONST], &ADDRESS, &[DROP, CALL, 0, CALL, PANIC, UNREACHABLE]];
    let silenced = silence(&object(&[PANICS, THROWS, caller])).unwrap();
    assert_eq!(addresses(&silenced), 2);
    assert_eq!(instructions(&silenced, 2), instructions(&object(&[PANICS, THROWS, caller]), 2));
}

#[test]
fn a_file_without_code_stays_as_it_is() {
    let file = b"\0asm\x01\0\0\0";
    assert_eq!(silence(file).unwrap(), file);
}
