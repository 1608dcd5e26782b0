using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace P2PMigrate.Demo;

/// <summary>
/// One connection to a redis server, as plain as the protocol is: requests as arrays of bulk strings, replies parsed as
/// they come. Its socket lives in the network of the lab's node that opened it. One owner.
/// </summary>
internal sealed class RedisConnection : IDisposable
{
    private const int ReceiveBuffer = 1 << 20;

    /// <summary>Longer than any container is away: a server that says nothing for so long is a fault, and no reason to wait for ever.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[ReceiveBuffer];
    private int _start;
    private int _end;

    private RedisConnection(Socket socket) => _socket = socket;

    /// <summary>Is there something to read (or an end)?</summary>
    public bool HasReply => _start < _end || _socket.Poll(0, SelectMode.SelectRead);

    /// <summary>Connects within <paramref name="limit"/>, or returns null when nobody answers at <paramref name="address"/>.</summary>
    public static RedisConnection? TryOpen(Socket socket, IPEndPoint address, TimeSpan limit)
    {
        socket.Blocking = false;
        socket.NoDelay = true;
        try
        {
            socket.Connect(address);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // The connection is being made.
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
        bool isWritable = socket.Poll(limit, SelectMode.SelectWrite);
        if (!isWritable || (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! != 0)
        {
            socket.Dispose();
            return null;
        }
        socket.Blocking = true;
        socket.ReceiveTimeout = socket.SendTimeout = (int)s_patience.TotalMilliseconds;
        return new RedisConnection(socket);
    }

    /// <summary>Sends requests without waiting for replies.</summary>
    public void Send(params IEnumerable<string[]> requests)
    {
        var text = new StringBuilder();
        foreach (string[] request in requests)
        {
            text.Append(CultureInfo.InvariantCulture, $"*{request.Length}\r\n");
            foreach (string word in request)
                text.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }
        _socket.Send(Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>Waits up to <paramref name="limit"/> for something to read.</summary>
    public bool WaitForReply(TimeSpan limit) => _start < _end || _socket.Poll(limit, SelectMode.SelectRead);

    /// <summary>The next reply: a string, a number, null, or an array of these. Throws when the server says an error or goes away.</summary>
    public object? Receive()
    {
        string line = ReadLine();
        return line[0] switch
        {
            '+' => line[1..],
            ':' => long.Parse(line.AsSpan(1), CultureInfo.InvariantCulture),
            '$' => ReadBulk(int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture)),
            '*' => ReadArray(int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture)),
            _ => throw new InvalidOperationException($"redis answered: {line}"),
        };
    }

    /// <summary>One request, one reply.</summary>
    public object? Ask(params string[] request)
    {
        Send(request);
        return Receive();
    }

    public void Dispose() => _socket.Dispose();

    private object?[] ReadArray(int count)
    {
        var items = new object?[count];
        for (int i = 0; i < count; i++)
            items[i] = Receive();
        return items;
    }

    private string? ReadBulk(int length)
    {
        if (length < 0)
            return null;
        while (_end - _start < length + 2)
            Fill();
        string text = Encoding.UTF8.GetString(_buffer, _start, length);
        _start += length + 2;
        return text;
    }

    private string ReadLine()
    {
        while (true)
        {
            int length = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (length >= 0)
            {
                string line = Encoding.UTF8.GetString(_buffer, _start, length);
                _start += length + 2;
                return line;
            }
            Fill();
        }
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        int count = _socket.Receive(_buffer, _end, _buffer.Length - _end, SocketFlags.None);
        if (count == 0)
            throw new SocketException((int)SocketError.ConnectionReset);
        _end += count;
    }
}
