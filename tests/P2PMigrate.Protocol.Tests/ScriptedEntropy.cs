namespace P2PMigrate.Protocol.Tests;

/// <summary>Gives exactly the bytes that a vector prescribes, in the order in which the code asks for them.</summary>
internal sealed class ScriptedEntropy(params byte[][] draws) : IEntropy
{
    private int _next;

    public void Fill(Span<byte> destination)
    {
        byte[] draw = draws[_next++];
        Assert.Equal(draw.Length, destination.Length);
        draw.CopyTo(destination);
    }
}
