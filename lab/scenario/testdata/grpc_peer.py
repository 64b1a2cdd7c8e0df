"""A gRPC server (serve ADDRESS CERTIFICATE KEY) or a client of it (call ADDRESS ROOT), of messages that are plain bytes."""

import sys
from concurrent import futures

import grpc


class Service(grpc.GenericRpcHandler):
    def service(self, details):
        return {
            "/lab.Echo/One": grpc.unary_unary_rpc_method_handler(self.one),
            "/lab.Echo/Each": grpc.stream_stream_rpc_method_handler(self.each),
            "/lab.Echo/Fail": grpc.unary_unary_rpc_method_handler(self.fail),
        }.get(details.method)

    def one(self, request, context):
        context.set_trailing_metadata((("x-length", str(len(request))),))
        return request

    def each(self, requests, context):
        for request in requests:
            yield request.upper()

    def fail(self, request, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as asked for")


def read(path):
    with open(path, "rb") as f:
        return f.read()


def serve(address, certificate, key):
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Service(),))
    server.add_secure_port(address, grpc.ssl_server_credentials([(read(key), read(certificate))]))
    server.start()
    server.wait_for_termination()


def call(address, root):
    with grpc.secure_channel(address, grpc.ssl_channel_credentials(read(root))) as channel:
        answer, done = channel.unary_unary("/lab.Echo/One").with_call(b"x" * 1_000_000, timeout=20)
        print("one", len(answer), dict(done.trailing_metadata())["x-length"])

        # Each message goes out when the answer to the one before has come.
        turns = [futures.Future() for _ in range(3)]

        def requests():
            for i, answered in enumerate(turns):
                yield b"message %d" % i
                answered.result(20)

        for answered, answer in zip(turns, channel.stream_stream("/lab.Echo/Each")(requests(), timeout=20)):
            print("each", answer.decode())
            answered.set_result(None)
        try:
            channel.unary_unary("/lab.Echo/Fail")(b"", timeout=20)
        except grpc.RpcError as error:
            print("fail", error.code().name, error.details())


{"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
