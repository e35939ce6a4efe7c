/// The program's version, named once here: the command line, the outputs' metadata and the packages read it.
public enum ArbutusVersion {
    /// Semantic version (semver.org), without a leading `v`.
    public static let string = "0.1.0"
}
