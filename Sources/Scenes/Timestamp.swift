/// Times as products write them, in seconds since 1970, UTC.
enum Timestamp {
    /// Reads `2023-08-15T09:57:57.246Z` (with `Z`, an offset, or nothing for UTC), `20230815T095031` or a
    /// date alone; nil for anything else.
    static func seconds(_ text: String) -> Double? {
        let pattern =
            #/
            ([0-9]{4})-?([0-9]{2})-?([0-9]{2})
            (?:[Tt\x20]([0-9]{2}):?([0-9]{2}):?([0-9]{2}(?:\.[0-9]{1,12})?)(.*))?
            /#
        guard let match = text.wholeMatch(of: pattern)?.output, let year = Int(match.1),
            let month = Int(match.2),
            let day = Int(match.3), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let start = Double(days(year, month, day)) * 86_400
        guard let hours = match.4, let minutes = match.5, let seconds = match.6 else { return start }
        guard let h = Int(hours), let m = Int(minutes), let s = Double(seconds), h < 24, m < 60, s < 61,
            let shift = zone(match.7 ?? "")
        else { return nil }
        return start + Double(h * 3600 + m * 60) + s - shift
    }

    /// Seconds that a zone lies east of UTC: `Z`, nothing, or `+hh:mm`.
    private static func zone(_ text: Substring) -> Double? {
        if text.isEmpty || text == "Z" || text == "z" { return 0 }
        guard let match = text.wholeMatch(of: /([+-])([0-9]{2}):?([0-9]{2})/)?.output,
            let h = Double(match.2),
            let m = Double(match.3)
        else { return nil }
        return (h * 3600 + m * 60) * (match.1 == "-" ? -1 : 1)
    }

    /// Days from 1970-01-01 in the Gregorian calendar, with years that begin in March (H. Hinnant,
    /// "chrono-Compatible Low-Level Date Algorithms", days_from_civil).
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
