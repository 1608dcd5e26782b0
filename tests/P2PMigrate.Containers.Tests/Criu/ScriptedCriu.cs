using P2PMigrate.Containers.Criu;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Criu;

/// <summary>CRIU's side of a page-server connection, written down beforehand; its answers are kept.</summary>
internal sealed class ScriptedCriu(PageServerDialect dialect, int bytesPerRead = int.MaxValue)
{
    private readonly List<byte> _script = [];

    public byte[] Answers { get; private set; } = [];

    public byte[] Sent => [.. _script];

    public ScriptedCriu Send(PageServerCommand command, ushort flags, ulong pages, ulong address, ulong destination)
    {
        byte[] header = new byte[dialect.HeaderSize];
        new PageServerHeader(command, flags, pages, address, destination).Write(header, dialect);
        return Raw(header);
    }

    public ScriptedCriu Pages(int count, char filler) => Raw([.. Enumerable.Repeat((byte)filler, count * PageRun.PageSize)]);

    public ScriptedCriu Raw(byte[] bytes)
    {
        _script.AddRange(bytes);
        return this;
    }

    public async Task<long> RunAsync(IPageSink sink)
    {
        await using var connection = new Connection(Sent, bytesPerRead);
        try
        {
            return await new PageServerConversation(connection, dialect, sink).RunAsync(TestContext.Current.CancellationToken);
        }
        finally
        {
            Answers = connection.Written.ToArray();
        }
    }

    private sealed class Connection(byte[] script, int bytesPerRead) : MemoryStream(script, writable: false)
    {
        public MemoryStream Written { get; } = new();

        public override bool CanWrite => true;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, bytesPerRead)], cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            Written.WriteAsync(buffer, cancellationToken);
    }
}
