/// Options whose value is several numbers, written as a list (`--bbox -123,49,-122,50`) or as words
/// (`--corners -17 -179 -16 179`).
///
/// The parser takes one word for a value, and a word that begins with a minus for an option; so the words are
/// joined to a list before it sees them.
enum GroupedNumbers {
    /// How many numbers follow each option.
    static let counts = ["--bbox": 4, "--corners": 4, "--range": 2, "--at": 2]

    /// The arguments with `--corners 1 2 3 4` turned into `--corners 1,2,3,4`; everything else is left alone.
    static func joined(_ arguments: [String]) -> [String] {
        var result: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            result.append(argument)
            if argument == "--" { return result + rest }
            guard let count = counts[argument], rest.count >= count else { continue }
            let words = rest.prefix(count)
            guard words.allSatisfy({ Double($0) != nil }) else { continue }
            result.append(words.joined(separator: ","))
            rest = rest.dropFirst(count)
        }
        return result
    }
}
