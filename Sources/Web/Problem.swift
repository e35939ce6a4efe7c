import Foundation
import HTTPTypes
import Hummingbird

/// An error as RFC 9457 problem details: what failed, which one, what to do.
struct Problem: Error, Codable {
    let title: String
    let status: Int
    let detail: String

    init(_ status: HTTPResponse.Status, _ detail: String) {
        (self.status, self.detail) = (status.code, detail)
        title = status.reasonPhrase
    }

    func response() throws -> Response {
        let body = try JSONEncoder().encode(self)
        return Response(
            status: HTTPResponse.Status(code: status, reasonPhrase: title),
            headers: [.contentType: "application/problem+json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

/// Turns whatever a route throws into a problem, so that no client sees less than a sentence.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            return try problem.response()
        } catch let error as HTTPError {
            let detail = error.body ?? "\(request.method) \(request.uri.path) cannot be answered"
            return try Problem(error.status, detail).response()
        } catch {
            return try Problem(.internalServerError, "\(error)").response()
        }
    }
}
