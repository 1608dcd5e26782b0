using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace P2PMigrate.Agent.Tests.Places;

/// <summary>What an S3 server without conditional puts looks like from outside: every put, the second of a name too, is answered alike.</summary>
internal sealed class ForgetfulServer : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly HttpStatusCode _toEveryPut;
    private readonly Task _serving;
    private int _busy;

    public ForgetfulServer(HttpStatusCode toEveryPut)
    {
        _toEveryPut = toEveryPut;
        using (var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            Endpoint = new Uri($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndPoint!).Port}");
        }

        _listener.Prefixes.Add(Endpoint.ToString());
        _listener.Start();
        _serving = ServeAsync();
    }

    public Uri Endpoint { get; }

    /// <summary>The paths that were put to.</summary>
    public ConcurrentQueue<string> Puts { get; } = [];

    /// <summary>How many requests are still to be answered by 503.</summary>
    public int BusyAnswers
    {
        get => Volatile.Read(ref _busy);
        set => Volatile.Write(ref _busy, value);
    }

    /// <summary>What anything but a put is answered by, without a word of S3's.</summary>
    public HttpStatusCode ToTheRest { get; init; } = HttpStatusCode.OK;

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
                Answer(await _listener.GetContextAsync());
        }
        catch (Exception end) when (end is HttpListenerException or ObjectDisposedException)
        {
        }
    }

    private void Answer(HttpListenerContext context)
    {
        if (context.Request.HttpMethod == "PUT")
            Puts.Enqueue(context.Request.Url!.AbsolutePath);
        bool isBusy = BusyAnswers > 0 && Interlocked.Decrement(ref _busy) >= 0;
        context.Response.StatusCode = (int)(isBusy ? HttpStatusCode.ServiceUnavailable : context.Request.HttpMethod == "PUT" ? _toEveryPut : ToTheRest);
        context.Response.Close();
    }
}
