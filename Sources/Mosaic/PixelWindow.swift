/// A rectangle of pixels: columns `x ..< x + width` and rows `y ..< y + height`, rows counted downwards.
public struct PixelWindow: Codable, Hashable, Sendable {
    public var x: Int
    public var y: Int
    public var width: Int
    public var height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// The first column to the right of the window.
    public var endX: Int { x + width }

    /// The first row below the window.
    public var endY: Int { y + height }

    /// Pixels in the window (columns × rows).
    public var count: Int { width * height }

    /// Whether the window has no pixel.
    public var isEmpty: Bool { width <= 0 || height <= 0 }

    /// The common part of two windows; empty (width or height 0) when there is none.
    public func intersection(_ other: PixelWindow) -> PixelWindow {
        let left = max(x, other.x)
        let top = max(y, other.y)
        return PixelWindow(
            x: left, y: top,
            width: max(0, min(endX, other.endX) - left),
            height: max(0, min(endY, other.endY) - top))
    }

    /// Whether every pixel of `other` lies in this window.
    public func contains(_ other: PixelWindow) -> Bool {
        x <= other.x && y <= other.y && endX >= other.endX && endY >= other.endY
    }

    /// The same rectangle counted from another origin.
    public func offset(x dx: Int, y dy: Int) -> PixelWindow {
        PixelWindow(x: x + dx, y: y + dy, width: width, height: height)
    }
}
