using System.Net.Sockets;
using P2PMigrate.Protocol.Gateway;

namespace P2PMigrate.Tunnel.Gateway;

/// <summary>Carries one HTTP request to the gateway and its response back.</summary>
internal static class HttpExchange
{
    /// <summary>All that the server sent, at most <see cref="GatewayMapper.MaxReplySize"/> bytes; nothing when there was no connection. Does not throw.</summary>
    public static async Task<byte[]> RunAsync(
        IGatewayNetwork network, GatewayRoute route, GatewayExchange exchange, TimeProvider time, CancellationToken closing)
    {
        using var patience = new CancellationTokenSource(GatewayMapper.ExchangePatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, closing);
        byte[] buffer = new byte[GatewayMapper.MaxReplySize];
        int length = 0;
        try
        {
            using Socket socket = network.OpenStream(route);
            await socket.ConnectAsync(route.At(exchange.Server.ToIPAddress(), exchange.Server.Port), either.Token).ConfigureAwait(false);
            for (ReadOnlyMemory<byte> rest = exchange.Request; !rest.IsEmpty;)
                rest = rest[await socket.SendAsync(rest, either.Token).ConfigureAwait(false)..];
            int received;
            do
            {
                received = await socket.ReceiveAsync(buffer.AsMemory(length), either.Token).ConfigureAwait(false);
                length += received;
            }
            while (received > 0 && length < buffer.Length && !GatewayMapper.IsWholeReply(buffer.AsSpan(0, length)));
        }
        catch (Exception end) when (end is SocketException or OperationCanceledException)
        {
            // What has come so far may be all there is; the mapper judges.
        }

        return buffer[..length];
    }
}
