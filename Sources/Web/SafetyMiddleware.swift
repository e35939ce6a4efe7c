import Foundation
import HTTPTypes
import Hummingbird

/// Headers that keep a browser from being led astray, on every answer; CORS only for the sites that the
/// operator named.
struct SafetyMiddleware<Context: RequestContext>: RouterMiddleware {
    let allowedOrigins: [String]

    /// Scripts and styles come from this server only and none stand in the page; pictures may come from
    /// OpenStreetMap besides, data from no other server.
    static var policy: String {
        "default-src 'self'; img-src 'self' data: blob: https://tile.openstreetmap.org; "
            + "style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; object-src 'none'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let origin = request.headers[.origin].flatMap { origin in
            allowedOrigins.contains("*") || allowedOrigins.contains(origin) ? origin : nil
        }
        var response =
            if origin != nil, request.method == .options {
                Response(status: .noContent)
            } else {
                try await next(request, context)
            }
        response.headers[.contentSecurityPolicy] = Self.policy
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[HTTPField.Name("Referrer-Policy")!] = "no-referrer"
        guard let origin else { return response }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.vary] = "Origin"
        if request.method == .options {
            response.headers[.accessControlAllowMethods] = "GET, POST, DELETE"
            response.headers[.accessControlAllowHeaders] =
                "Authorization, Content-Type, Prefer, Last-Event-ID"
        }
        return response
    }
}

extension WebServer {
    /// How the client reached this server: `http://host:port`. A Host header that is no name of a host counts
    /// for nothing.
    static func origin(_ request: Request) -> String {
        let authority = request.head.authority ?? ""
        let isName =
            !authority.isEmpty && authority.utf8.count <= 255
            && authority.allSatisfy {
                $0.isASCII && ($0.isLetter || $0.isNumber || ".-:[]".contains($0))
            }
        let forwarded = request.headers[HTTPField.Name("X-Forwarded-Proto")!]
        return isName ? "\(forwarded == "https" ? "https" : "http")://\(authority)" : ""
    }
}
