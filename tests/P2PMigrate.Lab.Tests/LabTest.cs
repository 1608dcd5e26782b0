namespace P2PMigrate.Lab.Tests;

/// <summary>Base of the tests that raise labs: skips them with the reason where none can be raised.</summary>
public abstract class LabTest
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    protected LabTest() => Assert.SkipUnless(LabGround.IsFit, LabGround.WhyNot ?? "");

    /// <summary>A name for a lab of this test's own, so that it can look for what the lab left.</summary>
    protected static string NewName() => LabRegistry.InventName();

    /// <summary>Waits for the next datagram; throws a <see cref="TimeoutException"/> when none comes.</summary>
    protected static async Task<(string Text, IPEndPoint From)> ReceiveAsync(Socket socket)
    {
        byte[] buffer = new byte[2048];
        SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, Anywhere(socket.AddressFamily)).WaitAsync(Patience);
        return (Encoding.ASCII.GetString(buffer, 0, received.ReceivedBytes), (IPEndPoint)received.RemoteEndPoint);
    }

    protected static Task<int> SendAsync(Socket socket, string text, IPEndPoint destination) =>
        socket.SendToAsync(Encoding.ASCII.GetBytes(text), SocketFlags.None, destination).WaitAsync(Patience);

    /// <summary>A UDP socket of the node, bound to the address and a port of the kernel's choice.</summary>
    protected static Socket BindUdp(LabNode node, IPAddress address)
    {
        Socket socket = node.OpenSocket(SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address, 0));
        return socket;
    }

    protected static IPEndPoint AddressOf(Socket socket) => (IPEndPoint)socket.LocalEndPoint!;

    private static IPEndPoint Anywhere(AddressFamily family) => new(family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
}
